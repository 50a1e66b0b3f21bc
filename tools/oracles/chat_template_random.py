"""Random templates for chat_templates.py: seeded, small, over the whole grammar of jinja2.

`snippets(seed, count)` gives sources. Most of them render; those that do not must be errors on our side, too.
"""

import random
import re

STRINGS = [
    "", "a", "abc", "Hello, World", "  pad \\n", "a,b,,c", "one two  three", "AbC dEf", "<b>x & 'y'</b>", "Grüße 世界", "🌍e\\u0301",
    "x=1", "12", "-3.5", "0x1F", "line1\\nline2\\r\\nline3\\n", "\\ttab", "%s and %d", "{} and {a}", "https://a.org/x?q=1", "ß",
    "\\x00\\x7f", "it's", 'say "hi"', "naïve_name", "1_000", "word-with-hyphens and_more", "(a)", "nan",
]
INTEGERS = ["0", "1", "2", "3", "-1", "7", "10", "-4", "100", "0x1F", "1_000", "255"]
FLOATS = ["0.5", "2.0", "-1.5", "1e3", "3.14159", "1e-5", "1e16", "0.1", "2.675", "123456.789"]
NAMES = ["n", "neg", "x", "t", "f", "nil", "s", "u", "empty", "multi", "l", "names", "nested", "d", "people", "html", "floats",
         "items_dict", "missing", "late", "loop", "ns", "a", "b"]
LISTS = ["l", "names", "nested", "people", "floats", "d", "s", "range(4)", "d.items()", "[]", "missing", "d.values()", "people|map(attribute='name')"]
TESTS = [
    ("odd", 0), ("even", 0), ("divisibleby", 1), ("defined", 0), ("undefined", 0), ("filter", 0), ("test", 0), ("none", 0), ("boolean", 0),
    ("false", 0), ("true", 0), ("integer", 0), ("float", 0), ("lower", 0), ("upper", 0), ("string", 0), ("mapping", 0), ("number", 0),
    ("sequence", 0), ("iterable", 0), ("callable", 0), ("sameas", 1), ("escaped", 0), ("in", 1), ("eq", 1), ("equalto", 1), ("ne", 1),
    ("gt", 1), ("greaterthan", 1), ("ge", 1), ("lt", 1), ("lessthan", 1), ("le", 1),
]
# Filter -> kinds of its arguments: e(xpression), i(nteger), s(tring), b(oolean), p(ath), or a literal.
FILTERS = {
    "abs": "", "attr": "s", "batch": "ie", "capitalize": "", "center": "i", "count": "", "d": "eb", "default": "eb", "dictsort": "bkb",
    "e": "", "escape": "", "filesizeformat": "b", "first": "", "float": "e", "forceescape": "", "format": "ee", "groupby": "pe", "indent": "ibb",
    "int": "ei", "items": "", "join": "sp", "last": "", "length": "", "list": "", "lower": "", "map": "F", "max": "bp", "min": "bp",
    "pprint": "", "reject": "T", "rejectattr": "pT", "replace": "ssi", "reverse": "", "round": "ir", "safe": "", "select": "T",
    "selectattr": "pT", "slice": "ie", "sort": "bbp", "string": "", "striptags": "", "sum": "pe", "title": "", "tojson": "bi", "trim": "s",
    "truncate": "ibsi", "unique": "bp", "upper": "", "urlencode": "", "urlize": "ib", "wordcount": "", "wordwrap": "ibs", "xmlattr": "b",
}
KEYWORDS = {
    "batch": ["linecount", "fill_with"], "center": ["width"], "default": ["default_value", "boolean"], "dictsort": ["case_sensitive", "by", "reverse"],
    "filesizeformat": ["binary"], "groupby": ["attribute", "default", "case_sensitive"], "indent": ["width", "first", "blank"],
    "int": ["default", "base"], "join": ["d", "attribute"], "max": ["case_sensitive", "attribute"], "min": ["case_sensitive", "attribute"],
    "replace": ["old", "new", "count"], "round": ["precision", "method"], "slice": ["slices", "fill_with"],
    "sort": ["reverse", "case_sensitive", "attribute"], "sum": ["attribute", "start"], "tojson": ["ensure_ascii", "indent", "separators", "sort_keys"],
    "trim": ["chars"], "truncate": ["length", "killwords", "end", "leeway"], "unique": ["case_sensitive", "attribute"],
    "wordwrap": ["width", "break_long_words", "wrapstring", "break_on_hyphens"], "xmlattr": ["autospace"], "float": ["default"], "attr": ["name"],
    "urlize": ["trim_url_limit", "nofollow", "target", "rel"],
}
# Method -> kinds of its arguments; a capital letter marks what the method belongs to.
STRING_METHODS = {
    "capitalize": "", "casefold": "", "center": "is", "count": "sii", "endswith": "sii", "expandtabs": "i", "find": "sii", "format": "ee",
    "index": "s", "isalnum": "", "isalpha": "", "isascii": "", "isdecimal": "", "isdigit": "", "isidentifier": "", "islower": "",
    "isnumeric": "", "isprintable": "", "isspace": "", "istitle": "", "isupper": "", "join": "l", "ljust": "is", "lower": "", "lstrip": "s",
    "partition": "s", "removeprefix": "s", "removesuffix": "s", "replace": "ssi", "rfind": "sii", "rindex": "s", "rjust": "is",
    "rpartition": "s", "rsplit": "si", "rstrip": "s", "split": "si", "splitlines": "b", "startswith": "sii", "strip": "s", "swapcase": "",
    "title": "", "upper": "", "zfill": "i", "format_map": "e",
}
OTHER_METHODS = {
    "d": {"get": "ee", "keys": "", "values": "", "items": "", "copy": "", "update": "e", "pop": "s", "setdefault": "s"},
    "l": {"index": "e", "count": "e", "copy": "", "append": "e", "pop": "", "sort": ""},
    "(1, 'a', 1)": {"index": "e", "count": "e"},
    "range(2, 9, 3)": {"index": "i", "count": "i"},
    "n": {"bit_length": "", "bit_count": "", "conjugate": "", "as_integer_ratio": ""},
    "x": {"is_integer": "", "conjugate": "", "as_integer_ratio": "", "hex": ""},
}
PATHS = ["name", "age", "tag.k", "tag", "zip", "0", "1", "a", "0.0"]
FORMATS = ["'%s|%s'", "'%d'", "'%5.1f'", "'%r'", "'%x'", "'%-6s|'", "'%05d'", "'%e'", "'%c'", "'%(a)s %(b)s'", "'%+d'", "'% d'", "'%#o'", "'%g'", "'%%'", "'%a'"]
BRACES = ["'{}'", "'{0}{0}'", "'{!r:>8}'", "'{:>6}'", "'{:08.3f}'", "'{:,}'", "'{:^9}'", "'{:x}'", "'{:+d}'", "'{:e}'", "'{:.2%}'", "'{:_}'",
          "'{:<4}|'", "'{0[0]}'", "'{0.a}'", "'{:g}'", "'{:*^10}'", "'{:b}'", "'{:c}'", "'{:n}'", "'{!s}'", "'{:{}}'", "'{:5}'"]
TEXTS = ["", "x", " ", "\n", "  \n  ", "\n\n", "text ", " <&> ", "\t", "é", "{ ", "% ", "a\n b", "}}", "#"]


class Generator:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def pick(self, choices):
        return self.random.choice(choices)

    def chance(self, percent):
        return self.random.randrange(100) < percent

    # --- expressions ---

    def string(self):
        quote = self.pick("'\"")
        return quote + self.pick(STRINGS).replace(quote, "\\" + quote) + quote

    def atom(self):
        return self.pick([
            lambda: self.pick(INTEGERS), lambda: self.pick(FLOATS), self.string, self.string, lambda: self.pick(NAMES),
            lambda: self.pick(NAMES), lambda: self.pick(["true", "false", "none", "[]", "{}", "()", "True", "None"]),
        ])()

    def argument(self, kind, depth):
        if self.chance(6):
            return self.expression(depth - 1)
        if kind == "i":
            return self.pick(["0", "1", "2", "3", "5", "-1", "8", "20", "none", "n"])
        if kind == "s":
            return self.string()
        if kind == "b":
            return self.pick(["true", "false", "t", "0", "1"])
        if kind == "p":
            return repr(self.pick(PATHS))
        if kind == "k":
            return self.pick(["'key'", "'value'", "'other'"])
        if kind == "r":
            return self.pick(["'common'", "'ceil'", "'floor'"])
        if kind == "l":
            return self.pick(LISTS)
        if kind == "T":
            test, count = self.pick(TESTS)
            return repr(test) + "".join(", " + self.atom() for _ in range(count))
        if kind == "F":
            if self.chance(40):
                return "attribute=" + repr(self.pick(PATHS)) + self.pick(["", ", default='?'", ", default=none"])
            name = self.pick([name for name in FILTERS if FILTERS[name] in ("", "i", "s", "e", "b")])
            return ", ".join([repr(name)] + self.arguments(FILTERS[name], depth))
        return self.expression(depth - 1)

    def arguments(self, kinds, depth):
        return [self.argument(kind, depth) for kind in kinds[: self.random.randint(0, len(kinds))]]

    def filter(self, depth):
        name = self.pick(list(FILTERS))
        arguments = self.arguments(FILTERS[name], depth)
        if name in KEYWORDS and self.chance(30):
            first = self.random.randint(0, len(arguments))
            keywords = KEYWORDS[name]
            arguments = [a if i < first or i >= len(keywords) or "=" in a else f"{keywords[i]}={a}" for i, a in enumerate(arguments)]
        return name + (f"({', '.join(arguments)})" if arguments or self.chance(10) else "")

    def method(self, depth):
        if self.chance(60):
            name = self.pick(list(STRING_METHODS))
            return f"{self.pick([self.string(), 's', 'u', 'multi', 'html'])}.{name}({', '.join(self.arguments(STRING_METHODS[name], depth))})"
        owner = self.pick(list(OTHER_METHODS))
        name = self.pick(list(OTHER_METHODS[owner]))
        return f"{owner}.{name}({', '.join(self.arguments(OTHER_METHODS[owner][name], depth))})"

    def number(self):
        return self.pick(INTEGERS + FLOATS + ["n", "neg", "x", "t", "(n + 1)", "l[0]"])

    def container(self, depth):
        items = [self.expression(depth - 1) for _ in range(self.random.randint(0, 3))]
        kind = self.random.randrange(3)
        if kind == 0:
            return "[" + ", ".join(items) + "]"
        if kind == 1:
            return "(" + "".join(item + ", " for item in items) + ")"
        return "{" + ", ".join(f"{self.atom()}: {item}" for item in items) + "}"

    def slice(self):
        bounds = [self.pick(["", "", "1", "-1", "2", "0", "-3", "10", "none"]) for _ in range(self.pick([2, 2, 3]))]
        return f"{self.pick(LISTS + ['u', 'multi', '(1, 2, 3)'])}[{':'.join(bounds)}]"

    def expression(self, depth=3):
        if depth <= 0 or self.chance(15):
            return self.atom()
        sub = lambda: self.expression(depth - 1)  # noqa: E731
        return self.pick([
            self.atom,
            lambda: f"{self.number()} {self.pick(['+', '-', '*', '/', '//', '%'])} {self.number()}",
            lambda: f"{self.number()} ** {self.pick(['0', '1', '2', '3', '-1'])}",
            lambda: f"{sub()} {self.pick(['+', '-', '*', '/', '//', '%', '~', '~'])} {self.atom()}",
            lambda: f"{sub()} {self.pick(['and', 'or'])} {sub()}",
            lambda: f"not {sub()}",
            lambda: f"{self.pick('-+')}{self.number()}",
            lambda: f"{sub()} {self.pick(['==', '!=', '<', '<=', '>', '>=', 'in', 'not in'])} {self.atom()}",
            lambda: f"{self.number()} {self.pick(['<', '<=', '==', '!='])} {self.number()} {self.pick(['<', '>=', '==', '!='])} {self.number()}",
            lambda: f"{sub()} if {sub()}" + (f" else {sub()}" if self.chance(70) else ""),
            lambda: f"({sub()})",
            lambda: self.container(depth),
            lambda: f"{self.pick(NAMES)}.{self.pick(['a', 'name', 'c', 'x', 'zzz', '0', 'upper', 'items'])}",
            lambda: f"{self.pick(NAMES)}[{self.pick([self.atom(), '0', '-1', repr('a')])}]",
            self.slice,
            self.slice,
            lambda: f"{sub()}|{self.filter(depth)}",
            lambda: f"{self.pick(LISTS)}|{self.filter(depth)}",
            lambda: f"{self.string()}|{self.filter(depth)}",
            lambda: f"{self.pick(LISTS)}|{self.filter(depth)}|{self.filter(depth)}",
            lambda: f"{self.pick(LISTS)}|{self.filter(depth)}|list",
            lambda: f"{sub()} is {self.pick(['', 'not '])}{self.test()}",
            lambda: self.method(depth),
            lambda: self.method(depth),
            lambda: f"{self.pick(FORMATS)} % {self.pick([self.atom(), f'({self.number()},)', f'({self.atom()}, {self.atom()})', 'd', self.number()])}",
            lambda: f"{self.pick(BRACES)}.format({', '.join(self.pick([self.atom(), self.number()]) for _ in range(self.random.randint(0, 2)))})",
            lambda: f"range({', '.join(self.arguments('iii', depth) or ['2'])}){self.pick(['', '|list', '|list', '[1]', '|length'])}",
            lambda: f"dict({self.pick(['', 'd', 'a=1, b=2', 'd, z=' + self.atom(), '[(1, 2)]'])})",
        ])()

    def test(self):
        name, count = self.pick(TESTS)
        if not count:
            return name
        operand = self.atom()
        return f"{name} {operand}" if self.chance(50) and operand[0] not in "-" else f"{name}({operand})"

    # --- statements ---

    def open(self, mark="%"):
        return "{" + mark + self.pick(["", "", "", "-", "+" if mark == "%" else ""]) + self.pick([" ", "", " "])

    def close(self, mark="%"):
        end = "}" if mark == "{" else mark
        return self.pick([" ", " ", ""]) + self.pick(["", "", "", "-", "+" if mark == "%" else ""]) + end + "}"

    def tag(self, text):
        return self.open() + text + self.close()

    def output(self, text):
        return "{{" + self.pick(["", "", "-"]) + " " + text + " " + self.pick(["", "", "-"]) + "}}"

    def text(self):
        return self.pick(TEXTS) + self.pick(["", "", self.pick(TEXTS)])

    def body(self, depth, in_loop=False):
        return "".join(self.text() + self.statement(depth, in_loop) for _ in range(self.random.randint(1, 3))) + self.text()

    def name(self):
        return self.pick(["a", "b", "late", "n", "s", "x", "i"])

    def loop(self, depth):
        target, items = self.pick([("i", self.pick(LISTS)), ("i", self.pick(LISTS)), ("k, v", "d.items()"), ("a, b", "[(1, 2), (3, 4)]"), ("i", "range(3)"),
                                   ("a, (b, i)", "[(1, (2, 3))]"), ("i", "nested"), ("i", self.expression(2).replace(" if ", " ~ "))])
        condition = self.pick(["", "", "", f" if {self.pick(['i', 'loop', 'i is odd', 'not i', 'i > 1'])}"])
        recursive = self.pick(["", "", "", "", " recursive"])
        inside = self.body(depth - 1, True)
        if recursive and self.chance(80):
            inside += "{% if i is iterable and i is not string %}(" + "{{ loop(i) }}" + "){% endif %}"
        otherwise = self.tag("else") + self.body(depth - 1, False) if self.chance(20) else ""
        return self.tag(f"for {target} in {items}{condition}{recursive}") + inside + otherwise + self.tag("endfor")

    def macro(self, depth):
        parameters = self.pick(["", "a", "a, b=2", "a=n, b=a", "n", "a=1"])
        arguments = self.pick(["", "1", "1, 2", "b=3", "1, b=late", "*l", "**d", "1, 2, 3", "a=s"])
        body = self.pick(["", "{{ varargs }}", "{{ kwargs }}", "{{ caller() if caller }}", "{{ caller(5) }}"]) + self.body(depth - 1)
        source = self.tag(f"macro m({parameters})") + body + self.tag("endmacro")
        if self.chance(35):
            return source + self.tag(f"call{self.pick(['', '(b)', '(b=1)'])} m({arguments})") + self.body(depth - 1) + self.tag("endcall")
        return source + self.output(f"m({arguments})") + self.pick(["", self.output("m()|upper"), self.output("late")])

    def loop_attribute(self):
        return self.output("loop." + self.pick([
            "index", "index0", "revindex", "revindex0", "first", "last", "length", "depth", "depth0", "previtem", "nextitem", "cycle('x', 'y')",
            "changed(i)", "previtem is defined", "nextitem is defined", "nothing"]))

    def statement(self, depth, in_loop=False):
        if depth <= 0:
            return self.output(self.expression(2))
        return self.pick([
            lambda: self.output(self.expression()),
            lambda: self.output(self.expression()),
            lambda: self.output(self.name()),
            lambda: self.output("i ~ loop.index") if in_loop else self.output(self.name()),
            lambda: self.loop_attribute() if in_loop else self.output("loop"),
            lambda: self.tag(self.pick(["break", "continue"])) if in_loop and self.chance(30) else self.output("late"),
            lambda: self.tag(f"if {self.expression(2).replace(' if ', ' ~ ')}") + self.body(depth - 1, in_loop) + self.tag("endif"),
            lambda: self.tag(f"if {self.name()}") + self.body(depth - 1, in_loop) + self.tag(f"elif {self.atom()}") + self.body(depth - 1, in_loop)
            + self.tag("else") + self.body(depth - 1, in_loop) + self.tag("endif"),
            lambda: self.loop(depth),
            lambda: self.loop(depth),
            lambda: self.tag(f"set {self.name()} = {self.expression(2)}"),
            lambda: self.tag(f"set {self.name()} = {self.pick(['n', 'late', 'i', 'a'])} ~ 1"),
            lambda: self.tag(f"set {self.name()}, {self.name()} = {self.pick(['1, 2', 'l', repr('xy'), '(n, s)', self.atom()])}"),
            lambda: self.tag(f"set {self.name()}{self.pick(['', '|upper', '|trim|length'])}") + self.body(depth - 1, in_loop) + self.tag("endset"),
            lambda: self.tag("set ns = namespace(a=0, b=l)") + self.tag(f"set ns.{self.pick('ab')} = ns.a ~ {self.atom()}") + self.output("ns.a"),
            lambda: self.tag(f"with{self.pick(['', ' a=1', ' a=n, b=a', ' n=late'])}") + self.body(depth - 1, in_loop) + self.tag("endwith"),
            lambda: self.tag(f"filter {self.filter(1)}") + self.body(depth - 1, in_loop) + self.tag("endfilter"),
            lambda: self.macro(depth),
            lambda: self.macro(depth),
            lambda: self.tag("generation") + self.body(depth - 1) + self.tag("endgeneration"),
            lambda: "{#" + self.pick(["", "-", "+"]) + self.pick([" note ", "{{ x }}", "\n"]) + self.pick(["", "-", "+"]) + "#}",
            lambda: self.tag("raw").replace("+%}", "%}") + self.pick(["{{ x }}", " {% if %}\n", "\n  "]) + self.tag("endraw"),
            lambda: self.tag(f"block {self.pick('pqrs')}{self.random.randrange(1000)}{self.pick(['', ' scoped'])}") + self.body(depth - 1) + self.tag("endblock"),
            lambda: self.tag(f"autoescape {self.pick(['true', 'false', 't'])}") + self.output(self.pick(["html", "html|safe", "html ~ s", "'<' + html|e", "[html, html|safe]|join('<')"]))
            + self.body(depth - 1, in_loop) + self.tag("endautoescape"),
            lambda: self.tag(f"print {self.atom()}{self.pick(['', ', ' + self.atom()])}"),
            lambda: self.pick(["{% set cy = cycler(1, 2) %}{{ cy.next() }}{{ cy.current }}{{ cy.next() }}{{ cy.next() }}",
                               "{% set jo = joiner('; ') %}{% for i in l %}{{ jo() }}{{ i }}{% endfor %}",
                               "{% if f %}{% include 'x' %}{% endif %}", "{% block z %}Z{% endblock %}{{ self.z() }}"]) if self.chance(30) else self.output(self.expression()),
        ])()


PIECES = ["{{", "}}", "{%", "%}", "{#", "#}", "-", "+", "(", ")", "[", "]", "{", "}", ".", ",", ":", "|", "~", "=", "==", "'", '"', "\\", " ", "\n", "if",
          "else", "elif", "endif", "for", "in", "endfor", "set", "endset", "is", "not", "and", "or", "recursive", "x", "1", "1.5", "loop", "macro", "endmacro", "**", "*", "%",
          "endraw", "raw", "é", "!", "@", "none", "true", "block", "scoped", "call", "1e", "0x", "_"]
PIECE = re.compile(r"\s+|\w+|\{\{|\}\}|\{%|%\}|\{#|#\}|.", re.DOTALL)


def mutants(seed, count, sources):
    """Sources with pieces taken out, doubled, exchanged or put in: most are malformed, in ways that people get wrong."""
    random_ = random.Random(seed)
    mutated = []
    while len(mutated) < count:
        pieces = PIECE.findall(random_.choice(sources))
        if len(pieces) > 80:
            continue
        for _ in range(random_.randint(1, 3)):
            at = random_.randrange(len(pieces) + 1)
            change = random_.randrange(4)
            if change == 0:
                pieces[at : at + 1] = []
            elif change == 1:
                pieces[at:at] = pieces[at : at + random_.randint(1, 3)]
            elif change == 2:
                pieces[at : at + 1] = [random_.choice(PIECES)]
            else:
                pieces[at:at] = [random_.choice(PIECES)]
        mutated.append("".join(pieces))
    return mutated


def snippets(seed, count):
    """`count` sources; the same seed gives the same ones. Some fail to parse: that must be so on our side as well."""
    generator = Generator(seed)
    sources = []
    while len(sources) < count:
        source = generator.output(generator.expression(3)) if generator.chance(60) else generator.body(3)
        if len(source) < 600:
            sources.append(source)
    return sources
