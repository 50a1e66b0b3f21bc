"""Rows 64 to 71 of the catalogue: chat templates, from a file, from a model file and from a folder."""

import itertools
import json

import models
from harness import BAD_INPUT, EITHER, MIB, USAGE, Case, rng
from models import STRING, dump, tiny_gguf

MESSAGES = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Hé"},
    {"role": "assistant", "content": ""},
    {"role": "user", "content": "x" * 300},
]
WORDS = ["template", "{dir}/t.jinja", "--messages", "{dir}/m.json"]


def case_of(name, source, messages=MESSAGES, **more):
    source = source if isinstance(source, bytes) else source.encode()
    content = messages if isinstance(messages, bytes) else dump(messages)
    form = ["--json"] if len(name) % 2 else []
    if more.get("codes", (BAD_INPUT,)) == (BAD_INPUT,):
        more["says"] = ("t.jinja", *more.get("says", ()))
    more = {"seconds": 1.5, "limits": {"RLIMIT_STACK": MIB}} | more
    return Case(name, WORDS + form, {"t.jinja": source, "m.json": content}, **more)


# --- Row 64: what cannot be read ---

UNREADABLE = [
    "{% for m in messages %}", "{% if x %}", "{% endfor %}", "{% else %}", "{{ x", "{{", "{%", "{% %}",
    "{# never closed", "{{ }}", "{{ 1 + }}", "{{ 1 2 }}",
    "{% nosuch %}", "{{ x | }}", "{{ 'a }}", '{{ "a }}', "{{ [1, }}", "{{ {1: } }}", "{{ (1 }}", "{{ a.}}",
    "{{ a[ }}", "{% set %}", "{% set x = %}",
    "{% set 1 = 2 %}", "{% for in x %}{% endfor %}", "{% for x of y %}{% endfor %}",
    "{% macro %}{% endmacro %}", "{% macro f( %}{% endmacro %}", "{% if %}{% endif %}",
    "{{ x if }}", "{{ not }}", "{{ 1 if 2 else }}", "{% block a %}", "{% break %}", "{% raw %}x",
    "{% generation %}", "{{ 0x }}", "{{ 1..2 }}", "{{ @ }}",
    "{{ $ }}", "{{ ` }}", "{{ a ? b : c }}", "{{ a && b }}", "{% endif %}{% if x %}",
    "{% for x in y %}{% endif %}", "{{ f(a b) }}", "{{ f(a=1, 2) }}",
    "{% elif x %}", "{% if x %}{% else %}{% else %}{% endif %}", "{{ x | default( }}", "{{ 'a' 5 }}",
    "{% import 'os' as os %}", "{% include 'x' %}",
    "{% extends 'x' %}", "{% from 'x' import y %}",
]  # fmt: skip


def test_row_64_the_place_is_given(catalogue):
    cases = []
    for source in UNREADABLE:
        cases.append(case_of(f"{source!r}", source, says=("t.jinja:1:",)))
        cases.append(case_of(f"{source!r} in line 3", "a\nb\n" + source, says=("t.jinja:3:",)))
    for call in ("{{ messages | nosuchfilter }}", "{{ x is nosuchtest }}", "{{ messages is nosuchtest }}"):
        cases.append(case_of(call, "\n" + call, says=("t.jinja:2:", "nosuch")))
    for source in (b"\xff", b"a\xc3", b"{{ '\xed\xa0\x80' }}"):
        cases.append(case_of(f"{source!r}", source))
    catalogue.check(*cases)


def test_row_64_real_templates_cut_anywhere(catalogue):
    macro = (
        "{% macro role(m) %}{% if m.role == 'user' %}U{% else %}{{ m.role | upper }}{% endif %}{% endmacro %}"
    )
    source = (
        macro
        + models.TEMPLATE
        + "{# end #}{% set ns = namespace(x=[1, 2][0]) %}{{ ns.x ~ 'é' }}{{ {'a': (1, 2.5)} | tojson }}"
    )
    data = source.encode()
    random = rng("template cuts")
    cases = [
        case_of(f"cut at {cut}", data[:cut], codes=EITHER) for cut in random.sample(range(len(data)), 80)
    ]
    for i in range(120):
        changed = bytearray(data)
        for _ in range(random.choice([1, 1, 2, 4])):
            at = random.randrange(len(changed))
            changed[at : at + random.choice([0, 1, 1, 3])] = random.choice(
                [b"{", b"}", b"%", b"(", b")", b"[", b"'", b"|", b".", b"-", b"", b"9", b" if "]
            )
        cases.append(case_of(f"change {i}", bytes(changed), codes=EITHER))
    catalogue.check(*cases)


# --- Row 65: depth ---


def nested(before, inside, after, count):
    return before * count + inside + after * count


DEEP = {
    "parentheses": ("(", "1", ")"), "brackets": ("[", "1", "]"), "braces": ("{'a':", "1", "}"),
    "not": ("not ", "1", ""), "minus": ("-", "1", ""),
    "choices": ("1 if 1 else ", "1", ""), "calls": ("f(", "1", ")"), "subscripts": ("x[", "1", "]"),
    "power": ("2**", "1", ""), "join": ("'a'~(", "'b'", ")"),
    "comparisons": ("1 < (", "2", ")"), "and": ("1 and (", "1", ")"),
}  # fmt: skip
LONG = {
    "sum": "1" + "+1" * 100_000, "concatenation": "'a'" + "~'a'" * 100_000,
    "filters": "'a'" + "|upper" * 100_000, "dots": "x" + ".a" * 100_000,
    "indexes": "x" + "[0]" * 100_000, "calls": "x" + "()" * 100_000, "compare": "1" + "<2" * 100_000,
    "or": "0" + " or 0" * 100_000,
}  # fmt: skip
BLOCKS = {
    "if": ("{% if 1 %}", "{% endif %}"), "for": ("{% for x in [1] %}", "{% endfor %}"),
    "macro": ("{% macro a() %}", "{% endmacro %}"),
    "filter": ("{% filter upper %}", "{% endfilter %}"), "set": ("{% set x %}", "{% endset %}"),
    "elif": ("{% if 0 %}{% else %}", "{% endif %}"),
}  # fmt: skip
NEST = "{{% set n = namespace(x=[]) %}}{{% for i in range({}) %}}{{% set n.x = [n.x] %}}{{% endfor %}}"
RECURSION = {
    "a macro that calls itself": "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "two macros": "{% macro f() %}{{ g() }}{% endmacro %}{% macro g() %}{{ f() }}{% endmacro %}{{ f() }}",
    "a macro with a growing argument": "{% macro f(x) %}{{ f(x ~ x) }}{% endmacro %}{{ f('a') }}",
    "through caller": "{% macro f() %}{% call f() %}{{ caller() }}{% endcall %}{% endmacro %}{{ f() }}",
    "recursive loop": "{% for x in [[1]] recursive %}{{ loop([[1]]) }}{% endfor %}",
    "a list that holds itself": "{% set x = [] %}{{ x.append(x) }}{{ x }}",
    "a namespace that holds itself": "{% set n = namespace() %}{% set n.n = n %}{{ n | tojson }}{{ n }}",
    "a list of lists": NEST.format(100_000) + "{{ n.x }}",
    "compared lists of lists": NEST.format(5000) + "{% set x = n.x %}" + NEST.format(5000) + "{{ x == n.x }}",
    "tojson of lists of lists": NEST.format(5000) + "{{ n.x | tojson }}",
}  # fmt: skip


def test_row_65_depth(catalogue):
    cases = []
    for (label, (before, inside, after)), count in itertools.product(DEEP.items(), (1000, 20_000, 100_000)):
        cases.append(
            case_of(
                f"{count} {label}", "{{ " + nested(before, inside, after, count) + " }}", codes=(BAD_INPUT,)
            )
        )
        cases.append(case_of(f"{count} {label}, not closed", "{{ " + before * count, codes=(BAD_INPUT,)))
    for label, source in LONG.items():
        cases.append(case_of(f"long {label}", "{{ " + source + " }}", codes=EITHER))
    for (label, (before, after)), count in itertools.product(BLOCKS.items(), (1000, 10_000)):
        cases.append(
            case_of(f"{count} blocks: {label}", nested(before, "x", after, count), codes=(BAD_INPUT,))
        )
        cases.append(case_of(f"{count} blocks, not closed: {label}", before * count, codes=(BAD_INPUT,)))
    chain = "{% if 0 %}" + "{% elif 0 %}" * 50_000 + "{% endif %}"
    cases.append(case_of("50,000 elifs", chain, codes=EITHER))
    for label, source in RECURSION.items():
        cases.append(
            case_of(
                label,
                source,
                codes=EITHER if "append" in source or "namespace that" in label else (BAD_INPUT,),
            )
        )
    cases.append(case_of("2 MB of template", b"a" * (2 * MIB), codes=(BAD_INPUT,), says=("1",)))
    catalogue.check(*cases)


def test_row_65_deep_messages(catalogue):
    cases = []
    for depth in (100, 10_000, 100_000):
        for before, after in (("[", "]"), ('{"a":', "}")):
            content = f'{{"messages": [], "x": {before * depth}1{after * depth}}}'.encode()
            cases.append(
                case_of(f"{depth} times {before}", "{{ x }}{{ x | tojson }}", content, codes=(BAD_INPUT,))
            )
    for case in cases:
        case.says = ("m.json",)
    catalogue.check(*cases)


# --- Row 66: endless work ---

ENDLESS = [
    "{% for i in range(10**9) %}x{% endfor %}",
    "{% for i in range(25000) %}{% for j in range(25000) %}{% endfor %}{% endfor %}",
    "{{ range(10**9) | list }}",
    "{{ range(10**18) | list | length }}", "{{ range(10**9) | sum }}", "{{ 'a' * 10**9 }}",
    "{{ [1] * 10**9 }}", "{{ 'a' * 10**18 }}", "{{ 10**10**10 }}",
    "{% set n = namespace(x='a') %}{% for i in range(60) %}{% set n.x = n.x ~ n.x %}{% endfor %}{{ n.x }}",
    "{% set n = namespace(x=[1]) %}{% for i in range(60) %}{% set n.x = n.x + n.x %}{% endfor %}{{ n.x }}",
    "{{ ('a' * 100000) | replace('a', 'b' * 100000) }}", "{{ 'x' | center(10**9) }}",
    "{{ 'x' | indent(10**9) }}", "{{ 'x\\n' * 100000 | indent(100000) }}",
    "{{ '%1000000000d' | format(1) }}", "{{ '{:>1000000000}'.format(1) }}", "{{ 'x'.rjust(10**9) }}",
    "{{ 'x'.zfill(10**9) }}", "{{ lipsum(10**6) }}",
    "{{ [1, 2, 3] | batch(10**9, 'x') | list }}", "{{ 'a b ' * 100000 | wordwrap(1) }}",
    "{{ (range(100000) | list) in (range(100000) | list) }}",
    "{% for i in range(10000) %}{{ (range(10000) | list) == (range(10000) | list) }}{% endfor %}",
    "{{ ('a' * 100000 ~ 'b').split('a') | join('xxxxxxxxxx' * 10000) }}",
    "{% for i in range(100000) %}{{ messages | tojson }}{% endfor %}",
    "{{ (range(30000) | list | sort(reverse=true)) | tojson | replace('1', '22222222' * 1000) }}",
    "{{ ('(' * 100000) | urlize }}", "{{ ('<' * 1000000) | striptags }}",
    "{{ range(10**6) | map('string') | join(',' * 1000) }}",
    "{% for i in range(300000) %}{{ strftime_now('%Y' * 1000) }}{% endfor %}",
    "{{ 'ab' * 3000000 }}{{ 'ab' * 3000000 }}{{ 'ab' * 3000000 }}{{ 'ab' * 3000000 }}",
]  # fmt: skip


def test_row_66_endless_work(catalogue):
    cases = []
    for source in ENDLESS:
        mild = source.startswith(
            (
                "{{ [1, 2, 3]",
                "{{ 'a b '",
                "{{ (range(100000)",
                "{{ ('<'",
                "{{ ('(",
                "{{ lipsum",
                "{{ ('a' * 100000 ~",
            )
        )
        # What fits the budget of steps and output is only slow; the rest must stop. A text may have 16 MiB,
        # and several are alive at once.
        codes = EITHER if mild else (BAD_INPUT,)
        cases.append(case_of(source, source, codes=codes, room=160 * MIB, seconds=2))
    catalogue.check(*cases)


# --- Row 68: arithmetic ---

WRONG_ARITHMETIC = [
    "{{ 1 / 0 }}", "{{ 1 // 0 }}", "{{ 1 % 0 }}", "{{ 1.0 / 0 }}", "{{ 0 ** -1 }}", "{{ 1 / false }}",
    "{{ 'a' % 0 }}", "{{ 'a' - 1 }}", "{{ [] + 1 }}", "{{ -'a' }}",
    "{{ {} < {} }}", "{{ 'a' < 1 }}", "{{ none + none }}", "{{ 'abc'[::0] }}", "{{ [1][::0] }}",
    "{{ range(1, 2, 0) }}", "{{ 'a' * 'b' }}", "{{ nothing.x.y }}",
    "{{ nothing() }}", "{{ 1() }}", "{{ 'a'() }}", "{{ messages[0]() }}", "{{ [1, 'a'] | sort }}",
    "{{ [] | first | upper | nosuch }}", "{{ 5 | length }}", "{{ 5 | join }}",
    "{% for x in 5 %}{% endfor %}", "{% for a, b in [1] %}{% endfor %}", "{% set a, b = [1, 2, 3] %}",
    "{{ 'a'.nosuch() }}", "{{ 'a'.format }}{{ 'a'.split(1, 2, 3, 4) }}",
    "{{ '%d' % 'a' }}", "{{ '%s %s' % ['a'] }}", "{{ 'x' | int(1, 1000) | nosuch }}", "{{ range('a') }}",
    "{{ 'a' in 5 }}",
    "{{ (2**63) // 0 }}",
]  # fmt: skip
ODD_ARITHMETIC = [
    "{{ {1: 2} | tojson(indent='x') }}",
    "{{ 9223372036854775807 + 1 }}", "{{ -9223372036854775808 // -1 }}", "{{ -9223372036854775808 % -1 }}",
    "{{ -9223372036854775807 - 10 }}", "{{ 2**63 }}", "{{ 2**64 * 2**64 }}",
    "{{ 10**400 }}", "{{ 1e308 * 10 }}", "{{ [1, 2][-10**18] }}", "{{ [1, 2][10**18] }}",
    "{{ 'abc'[-10**18:10**18] }}", "{{ 'abc'[10**18::-1] }}", "{{ [1][9223372036854775807] }}",
    "{{ 'abc'[::-9223372036854775808] }}", "{{ 'a' * -10**18 }}", "{{ 7 // -2 }}{{ -7 % 3 }}{{ 7 % -3 }}",
    "{{ 1.5 // 0.4 }}{{ -1.5 % 0.4 }}", "{{ 99999999999999999999999999 }}",
    "{{ 1e999 }}", "{{ 'nan' | float }}{{ 'inf' | float | int }}", "{{ '9' * 100 | int }}",
    "{{ ('9' * 1000) | int }}", "{{ (1e300 | int) + 1 }}", "{{ 2.5 | round(400) }}", "{{ 5 | round(-400) }}",
    "{{ range(9223372036854775800, 9223372036854775807) | list }}",
    "{{ range(0, 10, 9223372036854775807) | list }}", "{{ -9223372036854775808 | abs }}",
    "{{ 1e300 | string }}",
    "{{ 5 | filesizeformat }}{{ 1e30 | filesizeformat }}", "{{ 2 ** 0.5 ** 100 }}", "{{ (-8) ** 0.5 }}",
]  # fmt: skip


def test_row_68_arithmetic(catalogue):
    cases = [case_of(source, source) for source in WRONG_ARITHMETIC]
    cases += [case_of(source, source, codes=EITHER) for source in ODD_ARITHMETIC]
    catalogue.check(*cases)


# --- Row 70 and 71: errors of the template's own, variables of others ---


def test_row_70_the_words_of_the_template(catalogue):
    texts = [
        "Roles must alternate!",
        "é☕",
        "a\nb\x1b[31m",
        "'; rm",
        "x" * 5000,
        "%s {} {{",
        "; try this: got that, expected it",
    ]
    cases = []
    for text in texts:
        messages = {"messages": [], "words": text}
        says = (text[:8],) if text.isprintable() else ()
        cases.append(case_of(f"raised {text[:20]!r}", "{{ raise_exception(words) }}", messages, says=says))
    cases.append(case_of("raised nothing", "{{ raise_exception() }}"))
    cases.append(case_of("raised a number", "{{ raise_exception(5) }}"))
    template = "{% if messages[0].role != 'judge' %}{{ raise_exception('the judge begins') }}{% endif %}"
    data = tiny_gguf().set("tokenizer.chat_template", STRING, template).data()
    folder = {"m/" + name: content for name, content in models.tiny_folder().items()} | {
        "m/chat_template.jinja": template.encode()
    }
    for files, target in (({"m.gguf": data}, "{dir}/m.gguf"), (folder, "{dir}/m")):
        cases.append(
            Case(
                f"raised by the model in {target}",
                ["run", target, "-p", "x", "-n", "1"],
                files,
                says=("the judge begins",),
            )
        )
    catalogue.check(*cases)


def test_row_71_messages_that_are_none(catalogue):
    contents = {
        "a number": b"7", "null": b"null", "a string": b'"x"', "cut": b'[{"role": "user"', "empty": b"",
        "no messages": b"{}", "messages is a number": b'{"messages": 7}',
        "messages is an object": b'{"messages": {}}', "brackets": b"[" * 100_000,
        "a lone surrogate": b'[{"role": "user", "content": "\\ud800"}]',
        "not UTF-8": b'[{"role": "user", "content": "\xff"}]', "trailing": b"[]x",
        "UTF-16": "[]".encode("utf-16"),
    }  # fmt: skip
    cases = []
    for label, content in contents.items():
        case = case_of(label, models.TEMPLATE, content)
        case.says = ("m.json",) if "surrogate" not in label else ()
        if "surrogate" in label:
            case.codes = EITHER
        cases.append(case)
    odd = [
        [7],
        ["x"],
        [None],
        [[]],
        [{}],
        [{"role": 7, "content": []}],
        [{"role": None, "content": None}],
        [{"role": "user", "content": {"a": [1]}}],
    ]
    cases += [case_of(f"messages {value}", models.TEMPLATE, dump(value), codes=EITHER) for value in odd]
    for name in (
        "range",
        "loop",
        "raise_exception",
        "strftime_now",
        "namespace",
        "add_generation_prompt",
        "bos_token",
        "true",
        "none",
        "self",
        "__class__",
    ):
        for value in (7, "x", None, [], {}):
            content = {"messages": MESSAGES, name: value}
            source = models.TEMPLATE + "{{ " + name + " }}{{ range(2) | list if range is callable }}"
            cases.append(case_of(f"{name} is {value}", source, content, codes=EITHER))
    catalogue.check(*cases)


def test_row_71_no_host_objects(catalogue):
    """The usual ways out of a template engine end in an error or in nothing."""
    sources = [
        "{{ ''.__class__.__mro__[1].__subclasses__() }}", "{{ self.__init__.__globals__ }}", "{{ config }}",
        "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
        "{{ messages.__class__ }}", "{{ ''['__class__'] }}", "{{ '' | attr('__class__') }}",
        "{{ lipsum.__globals__['os'] }}", "{{ ''.format_map(messages) }}",
        "{{ '{0.__class__}'.format(1) }}", "{{ '%(x)s' | format(x=1) }}", "{{ request }}",
        "{{ get_flashed_messages }}", "{{ joiner.__init__ }}",
    ]  # fmt: skip

    def harmless(result):
        found = [word for word in (b"uid=", b"<class", b"<module", b"/etc", b"0x7") if word in result.out]
        return f"printed {found}: {result.out[:200]!r}" if found else ""

    catalogue.check(*(case_of(source, source, codes=EITHER, check=harmless) for source in sources))


# --- In model files ---


def test_templates_of_models(catalogue):
    """`run` and `template` read the model's own template, and refuse it as they refuse a file."""
    broken = [
        "{% for x in %}",
        "{{ 1/0 }}",
        "{{ messages | nosuch }}",
        "{% for i in range(10**9) %}x{% endfor %}",
        "{{ " + "(" * 100_000,
        "\x1b[31m{{ x",
    ]
    cases = []
    for source in broken:
        data = tiny_gguf().set("tokenizer.chat_template", STRING, source).data()
        files = {"m.gguf": data, "m.json": dump(MESSAGES)} | {
            "m/" + name: content for name, content in models.tiny_folder().items()
        }
        files["m/tokenizer_config.json"] = dump({"chat_template": source})
        for target in ("{dir}/m.gguf", "{dir}/m"):
            for words in (
                ["run", target, "-p", "x", "-n", "1"],
                ["template", target, "--messages", "{dir}/m.json"],
            ):
                cases.append(Case(f"{source[:20]!r}, {words[0]} {target}", words, files, seconds=2))
    catalogue.check(*cases)


def test_a_template_file_for_run(catalogue):
    contents = {
        "cut": b"{% for",
        "not UTF-8": b"\xff",
        "2 MB": b"a" * (2 * MIB),
        "raises": b"{{ raise_exception('no') }}",
    }
    cases = []
    for label, content in contents.items():
        words = ["run", "{dir}/m.gguf", "-p", "x", "-n", "1", "--chat-template-file", "{dir}/t.jinja"]
        cases.append(
            Case(
                label,
                words,
                {"m.gguf": tiny_gguf().data(), "t.jinja": content},
                (BAD_INPUT, USAGE),
                says=("t.jinja",),
            )
        )
    catalogue.check(*cases)


# --- Odd and legal ---


def test_every_whitespace_control(catalogue):
    """All ways to write the marks of a block, against jinja2 with transformers' settings."""
    import jinja2

    environment = jinja2.Environment(trim_blocks=True, lstrip_blocks=True)
    left, right = ("{%", "{%-", "{%+"), ("%}", "-%}", "+%}")
    cases = []
    for before, open_, close, end, stop, after in itertools.product(
        ("a \n  ", "b ", "\n\n"), left, right, left, right, ("\n  z", " \n")
    ):
        source = f"{before}{open_} if true {close} x {end} endif {stop}{after}"
        cases.append((source, source))
    for open_, close in itertools.product(("{{", "{{-", "{{+"), ("}}", "-}}", "+}}")):
        for before, after in itertools.product(("a \n  ", " "), ("\n z", " \n")):
            cases.append((f"{before}{open_} 'v' {close}{after}",) * 2)
    for open_, close in itertools.product(("{#", "{#-", "{#+"), ("#}", "-#}", "+#}")):
        cases.append((f"a \n  {open_} note {close}\n z",) * 2)
    judged = []
    for name, source in cases:
        try:
            expected = environment.from_string(source).render()
        except jinja2.TemplateError:
            expected = None  # "{{+" is the start of a number in some places and an error in others

        def same(result, expected=expected):
            text = json.loads(result.out)["text"] if result.code == 0 else None
            return "" if text == expected else f"printed {text!r}, jinja2 {expected!r}"

        case = Case(
            repr(name), [*WORDS, "--json"], {"t.jinja": source.encode(), "m.json": b"[]"}, EITHER, check=same
        )
        judged.append(case)
    catalogue.check(*rng("whitespace").sample(judged, 300))
