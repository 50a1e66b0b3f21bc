"""Small templates, one behaviour each, for chat_templates.py."""

VARIABLES = {
    "n": 7, "neg": -3, "x": 2.5, "big": 9007199254740993, "t": True, "f": False, "nil": None,
    "s": "Hello, World", "u": "Grüße 世界 🌍", "empty": "", "multi": "one\ntwo\n\nthree",
    "l": [3, 1, 2], "names": ["bob", "Alice", "eve"], "nested": [[1, 2], [3, [4]]],
    "d": {"a": 1, "b": "two", "c": [1, 2]}, "items_dict": {"items": 5, "get": 6},
    "people": [{"name": "Bob", "age": 30, "tag": {"k": "z"}}, {"name": "alice", "age": 25, "tag": {"k": "y"}},
               {"name": "Eve", "age": 30, "tag": {"k": "x"}}],
    "html": "<a href='x'>&\"</a>", "floats": [1.0, 0.1, 1e20, 1e16, 123456789012345680.0, 1e-5, 0.0001, -0.0, 3.14159, 1e300],
}

# One expression each.
EXPRESSIONS = """
n + 1
n - 10
n * 3
n / 2
n // 2
neg // 2
n % 3
neg % 2
n % -4
neg % -2
2 ** 10
2 ** -1
-2 ** 2
2 ** 3 ** 2
x * 2
x // 1
-x // 1
-x % 2
x % -2
7.5 // 2
1 / 0
1 % 0
1 // 0
1.0 / 0
0.0 // 0
x ** 0.5
-n
+n
- - n
-n|abs
not t
not not n
1 + 2 * 3 - 4 / 2
(1 + 2) * 3
10 - 3 - 2
100 / 10 / 2
1 ~ 2 ~ 'a' ~ none ~ true ~ 1.0
'a' ~ x
n ~ undefinedvar ~ s
1 < 2 < 3
1 < 3 < 2
3 > 2 >= 2 != 1
1 == 1.0
1 == true
0 == false
'1' == 1
none == none
undefinedvar == none
undefinedvar == undefinedvar
[1, 2] == [1, 2.0]
(1, 2) == [1, 2]
{'a': 1} == {'a': 1.0}
[1, 2] < [1, 3]
(1,) < (1, 2)
'a' < 'b'
'a' < 1
none < 1
undefinedvar < 1
1 in [1, 2]
'ell' in s
'a' in d
1 in d
3 not in l
1 in 5
1 in 'abc'
'' in ''
'x' in undefinedvar
t and f
t or f
f or 'default'
t and 'value'
nil or [] or 0 or ''
1 and 2 and 3
0 or undefinedvar
n if t else 'no'
n if f else 'no'
n if f
(n if f) is defined
1 if t else 2 if f else 3
1 if f else 2 if t else 3
undefinedvar
undefinedvar.attr
undefinedvar['x']
undefinedvar()
undefinedvar + 1
'a' + undefinedvar
undefinedvar|upper
undefinedvar|length
undefinedvar|list
undefinedvar|join
undefinedvar|int
undefinedvar|tojson
undefinedvar|default('d')
d.missing
d.missing.deeper
d.missing|default('x')
d.missing is defined
nil.attr
nil.attr is defined
nil['x']
n.attr
s.attr
l.attr
l.0
l[0]
l[-1]
l[10]
l[-4]
l[1:]
l[:1]
l[:-1]
l[::-1]
l[::2]
l[5:]
l[-100:100]
l[2:0:-1]
l[::0]
l['x':]
s[0]
s[-1]
s[100]
s[7:]
s[::-1]
s[-5:-2]
u[0]
u[2]
u[6]
u[7:]
u[::-1]
u[-1]
u|length
nil[1:]
undefinedvar[1:]
d['a']
d["b"]
d.c[1]
d.a.b
d['zzz']
d[[1]]
d[1:2]
items_dict['items']
items_dict['get']
(1, 2, 3)[1]
(1,)
()
(1)
[]
{}
[1, 'a', none, true, 2.5, [1], {'k': (1, 2)}]
{'a': 1, 2: 'b', none: 3, 1.5: 4, (1, 2): 5}
{'a': 1, 'a': 2}
{1: 'a', 1.0: 'b', true: 'c'}
{[1]: 2}
[1, 2,]
{'a': 1,}
[1, 2] + [3]
(1, 2) + (3,)
[1] + (2,)
[0] * 3
3 * [0, 1]
'ab' * 3
3 * 'ab'
'ab' * -1
'a' + 'b'
'a' + 1
1 + 'a'
[] + ''
'a' - 'b'
true + true
-true
nil + 1
'a' 'b' "c"
'it\\'s' "say \\"hi\\""
'tab\\tnl\\nbs\\\\ x\\x41 u\\u00e9 U\\U0001F600 oct\\101 q\\q'
"a\\
b"
'\\ud800'
'\\xZZ'
0x1F
0b101
0o17
1_000_000
1e3
1.5e-7
1_0.5
9223372036854775807
9223372036854775807 - 1
big
big * 2
floats
1e16
1e15
123456.789
1.0
100000000000000000000.0
0.1 + 0.2
1/3
2/3*3
1e308 * 10
-(1e308 * 10)
10 // 3.0
5 / 2.5
t
f
nil
True
None
'%s' % 'a'
'%s and %s' % ('a', 2)
'%d' % 3.7
'%05d|%-5d|%+d|%x|%X|%o' % (42, 42, 42, 255, 255, 8)
'%.2f|%8.3f|%e|%g|%G' % (3.14159, 2.5, 12345.678, 0.0001, 1e20)
'%s %%' % 'a'
'%(a)s %(b)r' % d
'%5s|%-5s|%.2s' % ('ab', 'ab', 'abcdef')
'%r %r' % ('x', 1.0)
'%c%c' % (65, 'B')
'%s' % (1, 2)
'%s %s' % 'a'
'%d' % 'a'
'%s' % [1, 2]
'%*d' % (5, 42)
'%q' % 1
'a' % 1
'%'
'%' % ()
'%s' % undefinedvar
'%i %u' % (1, 2)
'%#x %#o' % (255, 8)
'{} {}'.format(1, 'a')
'{1} {0}'.format('a', 'b')
'{a} {b.x}'.format(a=1, b={'x': 2})
'{a[x]}'.format(a={'x': 2})
'{:>5}|{:<5}|{:^5}|{:*^7}'.format('a', 'b', 'c', 'd')
'{:05d} {:,} {:x} {:#x} {:b} {:+}'.format(42, 1234567, 255, 255, 5, 3)
'{:.2f} {:.1%} {:e} {:8.3f} {:g}'.format(3.14159, 0.256, 12345.6, 2.5, 100000.0)
'{!r} {!s}'.format('a', 'b')
'{{}} {}'.format(1)
'{'.format(1)
'{} {}'.format(1)
'{:d}'.format('a')
'{:.3}'.format('abcdef')
'{:5}|{:5}'.format(3, 'a')
'{0.upper}'.format('a') is string
'{:_}'.format(1234567)
'{x}'.format(y=1)
s.upper()
s.lower()
s.title()
s.capitalize()
s.swapcase()
s.strip()
'  a b '.strip()
'  a b '.lstrip() ~ '|'
'  a b '.rstrip() ~ '|'
'xxaxx'.strip('x')
'abcba'.strip('ab')
'\\n\\t a \\n'.strip()
'\u00a0\u3000a\u2003'.strip()
'a b  c'.split()
'a b  c'.split(' ')
'a,b,,c'.split(',')
'a,b,c'.split(',', 1)
'a,b,c'.rsplit(',', 1)
'a b c d'.split(none, 2)
' a b c d '.rsplit(none, 2)
' a  b '.split(maxsplit=1)
''.split()
''.split(',')
'abc'.split('')
'a</think>b</think>c'.split('</think>')[-1]
'a\\nb\\r\\nc\\rd\\n'.splitlines()
'a\\nb\\n'.splitlines(true)
'a=b=c'.partition('=')
'a=b=c'.rpartition('=')
'abc'.partition('x')
s.startswith('Hell')
s.startswith(('x', 'H'))
s.startswith('World', 7)
s.endswith('World')
s.endswith(('a', 'ld'))
s.startswith(['H'])
s.startswith('')
s.find('o')
s.find('o', 5)
s.find('zzz')
s.rfind('o')
s.index('W')
s.index('zzz')
u.find('世')
u.rfind('ß')
''.find('')
'abc'.find('', 10)
s.count('l')
s.count('')
'aaaa'.count('aa')
s.replace('l', 'L')
s.replace('l', 'L', 2)
s.replace('', '-')
''.replace('', 'x')
'abc'.replace('', '-', 2)
s.replace('zzz', 'y')
', '.join(['a', 'b'])
', '.join([1])
'-'.join('abc')
''.join([])
'a'.join(d)
'abc'.isalpha() and not 'a1'.isalpha() and not ''.isalpha()
'123'.isdigit() and '²'.isdigit() and not '½'.isdigit() and '½'.isnumeric() and not '²'.isdecimal()
'a1'.isalnum() and not 'a_'.isalnum()
' \\t'.isspace() and not ''.isspace()
'ABC'.isupper() and not 'AbC'.isupper() and 'a1'.islower() and not '1'.islower()
'Hello World'.istitle()
'abc'.isascii()
'a_1'.isidentifier()
'abc'.removeprefix('ab') ~ 'abc'.removesuffix('bc') ~ 'abc'.removeprefix('x')
'5'.zfill(3) ~ '-5'.zfill(4) ~ '12345'.zfill(2)
'ab'.center(5) ~ '|' ~ 'ab'.center(6) ~ '|' ~ 'abc'.center(6, '*') ~ '|'
'ab'.ljust(5, '.') ~ 'ab'.rjust(5, '.')
'a\\tb'.expandtabs(4)
'straße'.upper() ~ 'ÄÖ'.lower() ~ 'ΑΣ'.lower() ~ 'ﬁ'.upper()
"it's they're".title()
'ǆ'.title()
u.upper()
s.__class__
s._private
''.__class__.__mro__
d.__class__
d.get('a')
d.get('zz')
d.get('zz', 5)
d.keys()
d.values()
d.items()
d.keys()|list
d.items()|list
d.keys()[0]
d.values()|length
d.copy()
d.update({'x': 1})
d.pop('a')
d.update is defined
d.setdefault('a', 1)
l.append(4)
l.append
l.pop()
l.index(1)
l.index(99)
l.count(1)
l.copy()
l.sort()
l|sort
l|sort(reverse=true)
names|sort
names|sort(case_sensitive=true)
people|sort(attribute='age')|map(attribute='name')|list
people|sort(attribute='age,name')|map(attribute='name')|list
people|sort(attribute='tag.k')|map(attribute='tag.k')|join(',')
[1, 'a']|sort
[3, 1.5, true]|sort
[[2], [1]]|sort
'hello'|sort
people|map(attribute='name')|join(', ')
people|map(attribute='zip')|list
people|map(attribute='zip', default='?')|list
people|map(attribute='tag')|map(attribute='k')|list
nested|map('first')|list
names|map('upper')|list
names|map('replace', 'b', 'B')|list
names|map('nofilter')|list
names|map|list
l|map('string')|join
[0, 1, '', 'a', none]|select|list
[0, 1, '', 'a', none]|reject|list
[1, 2, 3, 4]|select('odd')|list
[1, 2, 3, 4]|reject('odd')|list
[1, 2, 3, 4]|select('>', 2)|list
[1, 2, 3, 4]|select('divisibleby', 2)|list
[1, 2]|select('notest')|list
people|selectattr('age', '==', 30)|map(attribute='name')|list
people|selectattr('age', 'equalto', 25)|list|length
people|rejectattr('age', 'eq', 30)|map(attribute='name')|list
people|selectattr('zip')|list
people|selectattr('zip', 'undefined')|list|length
people|selectattr('name', 'in', ['Bob', 'Eve'])|map(attribute='name')|list
people|selectattr('tag.k', 'equalto', 'x')|list
(people|selectattr('age'))[0]
people|selectattr('age')|first
people|selectattr('age')|last
people|selectattr('age')|length
people|selectattr('zip')|first is defined
l|first
l|last
[]|first
[]|last
''|first
s|first
s|last
d|first
d|last
5|first
l|length
s|length
d|count
5|length
nil|length
l|sum
[0.1] * 3|sum
people|sum(attribute='age')
[1, 2]|sum(start=10)
['a']|sum
l|min
l|max
[]|min
names|min
names|max(case_sensitive=true)
people|max(attribute='age')
l|reverse|list
s|reverse
l|reverse is iterable
[1, 1.0, 2, true, 'A', 'a']|unique|list
names|unique|join
people|unique(attribute='age')|map(attribute='name')|list
l|join
l|join(', ')
people|join(',', attribute='name')
[none, true, 1.0, undefinedvar]|join('|')
5|join
[1, 2, 3, 4, 5]|batch(2)|list
[1, 2, 3, 4, 5]|batch(2, 'x')|list
[1, 2, 3, 4, 5]|slice(2)|list
[1, 2, 3, 4, 5]|slice(3, 'x')|list
people|groupby('age')|list
people|groupby('name')|map(attribute='grouper')|list
(people|groupby('age'))[0].list|length
d|items|list
undefinedvar|items|list
5|items|list
'abc'.find('b', 10)
'abc'.count('', 10)
'abc'.startswith('', 10)
'abc'.rfind('', 1, 2)
(html|safe ~ '<') is escaped
d|dictsort
{'b': 1, 'A': 2}|dictsort
{'b': 1, 'A': 2}|dictsort(true)
{'b': 1, 'A': 2}|dictsort(by='value')
{'b': 1, 'A': 2}|dictsort(reverse=true)
d|list
s|list
5|list
(1, 2)|list
'42'|int
'42.9'|int
'abc'|int
'abc'|int(-1)
'0x1F'|int(base=16)
'0x1F'|int
'11'|int(0, 2)
' 42 '|int
'1_000'|int
3.99|int
-3.99|int
none|int
true|int
[]|int
'3.5'|float
'abc'|float
'1e5'|float
'inf'|float
'nan'|float
3|float
none|float
n|abs
neg|abs
-2.5|abs
'a'|abs
2.5|round
3.5|round
2.567|round(2)
2.567|round(1, 'ceil')
2.567|round(1, 'floor')
42|round
42.55|round(1)
1234|round(-2)
1250|round(-2)
-2.5|round
2.675|round(2)
5.015|round(2)
1e20|round
'a'|round
n|string
none|string
[1]|string
n|upper
s|upper
s|lower
'hELLO wORLD-foo (bar)'|title
'hELLO'|capitalize
'  a '|trim
'xxaxx'|trim('x')
none|trim
s|replace('l', 'L')
s|replace('l', 'L', 1)
123|replace(2, 'x')
s|wordcount
u|wordcount
'a-b c_d e.f'|wordcount
'ab'|center(6)
multi|indent
multi|indent(2)
multi|indent(2, true)
multi|indent(2, true, true)
multi|indent('> ')
5|indent
'foo bar baz qux'|truncate(9)
'foo bar baz qux'|truncate(9, true)
'foo bar baz qux'|truncate(11)
'foo bar baz qux'|truncate(11, False, '...', 0)
html|escape
html|e
html|safe
html|e|e
html|forceescape|forceescape
html|safe ~ '<'
(html|e) + '<'
'<'|safe is escaped
'%s=%s'|format('a', 1)
'%(x)s'|format(x=5)
'%s'|format
nil|default('d')
nil|default('d', true)
''|default('d', true)
0|d('z')
0|d('z', boolean=true)
undefinedvar|d
d|attr('a')
d|tojson
l|tojson
s|tojson
html|tojson
u|tojson
u|tojson(ensure_ascii=true)
nested|tojson
nested|tojson(indent=2)
d|tojson(indent=2)
d|tojson(indent=0)
d|tojson(separators=(',', ':'))
d|tojson(indent=4, separators=(', ', ' = '))
{'b': 1, 'a': {'z': 1, 'y': 2}}|tojson(sort_keys=true)
{1: 2, none: 3, true: 4, 1.5: 5}|tojson
{(1, 2): 3}|tojson
floats|tojson
[true, false, none]|tojson
'\\x01\\x1f\\x7f\\u2028"\\\\/\\b\\f'|tojson
(1, 2)|tojson
[]|tojson ~ {}|tojson
[]|tojson(indent=2) ~ {}|tojson(indent=2)
('inf'|float)|tojson
d.keys()|tojson
range(3)|tojson
namespace(a=1)|tojson
people|map(attribute='name')|tojson
d|tojson(indent='\\t')
n|nofilter
n is notest
n is defined
undefinedvar is defined
undefinedvar is not defined
undefinedvar is undefined
nil is none
nil is not none
s is string
n is string
n is number
x is number
t is number
n is integer
t is integer
x is integer
x is float
t is boolean
n is boolean
t is true
n is true
f is false
d is mapping
l is mapping
l is sequence
d is sequence
s is sequence
n is sequence
l is iterable
n is iterable
undefinedvar is iterable
undefinedvar is sequence
d.items() is iterable
d.items() is sequence
range(3) is sequence
n is odd
n is even
'a' is odd
n is divisibleby 7
n is divisibleby(0)
n is eq 7
n is equalto 7
n is ne 7
n is lt 8
n is gt 8
n is ge 7
n is le(6)
'A' is upper
'a' is lower
1 is in [1, 2]
1 is not in [1, 2]
'e' is in s
nil is sameas none
1 is sameas true
range is callable
s.upper is callable
s is callable
'upper' is filter
'nope' is filter
'odd' is test
n is odd and x is float
n is odd or undefinedvar.x
not n is even
n is odd is true
n is eq n + 1
range(3)|list
range(1, 4)|list
range(5, 0, -2)|list
range(0)|list
range(3)
range(1, 0, 0)
range(1000000)
range(3)[1]
range(10)[2:5]|list
range('a')
range(5)|length
2 in range(3)
dict(a=1, b=2)
dict({'x': 1}, y=2)
dict([('a', 1)])
dict([1])
namespace(a=1).a
namespace(a=1).b
namespace({'k': 2}).k
namespace(a=1)['a']
namespace(_a=1)
raise_exception('boom')
strftime_now('%Y-%m-%d')
strftime_now('%d %B %Y, %H:%M:%S %A %j')
strftime_now('%-d %b %y %I %p %% plain')
foo(1)
n(1)
s()
s.upper(1)
(1, 2, 3)|join
[1, [2, 'x']]|string
['it\\'s', "q\\"q", 'a\\nb\\t\\\\', 'é\\u200b\\x00']
'%s' % none
[1, 2, 3][1:]|first
{'a': {'b': [10, 20]}}.a.b[1]
{'a': {'b': [10, 20]}}['a']['b'][-1]
[{'x': 1}, {'x': 2}]|map(attribute='x')|sum
'a' if n > 5 and s else 'b'
('a' if n > 5 else 'b') ~ 'c'
'a' if n > 5 else 'b' ~ 'c'
1 + 1|string
(1 + 1)|string
'a' ~ 1 + 1
'a' == 'a' ~ ''
n == 7 and 'x' in 'xyz' or false
n > 5 is true
[1, 2] is sequence and {} is mapping
-1 in [-1]
{}.a is defined
l[n - 7]
l[l[1]]
s[l[1]:l[0]]
'é'|length
'🌍'[0]
'a🌍b'[1:]
'a🌍b'|reverse
'🌍' * 3
"🌍é" < "🌍f"
loop
loop is defined
caller is defined
true.x
1.5.x
'x'.0
1..x
1 +
(1
[1
{'a' 1}
{'a':}
a b
1 2
'unterminated
n |
n | 5
n is
n.
n[
n[1
not
* 2
@
n ? 1
x = 1
n!
$x
html|striptags
'a &amp; b <!-- c --> <i>d</i> &copy &#x41; &#999999999; &notit;'|striptags
'a <b'|striptags
'a b/c?d=ü'|urlencode
{'a b': 1, 'c': 'd&e'}|urlencode
[('a', 1), ('b', none)]|urlencode
[1]|urlencode
{'class': 'x', 'id': none, 'data': html, 'z': missing}|xmlattr
{'class': 'x'}|xmlattr(false)
{'a b': 1}|xmlattr
'see https://a.org/x?y=1, (www.b.com) or <c@d.org>. mailto:e@f.net http://[::1]/ 1.2.3.4'|urlize
'http://long.example.com/path'|urlize(10, true, target='_blank', rel='me')
'tel:123 ftp://x'|urlize(extra_schemes=['tel:', 'ftp://'])
'x'|urlize(extra_schemes=['no'])
'the quick brown-fox jumps over the lazy dog'|wordwrap(10)
'the quick brown-fox jumps'|wordwrap(5, false, '|', false)
'a--b c---d long-hyphenated-words-here'|wordwrap(7)
'averyveryverylongword'|wordwrap(6)
'a\\n\\n b'|wordwrap(0)
1|filesizeformat ~ 999|filesizeformat ~ 1000|filesizeformat ~ 123456789|filesizeformat(true) ~ '5e30'|filesizeformat
people|pprint
[people, people]|pprint
('word ' * 40)|pprint
{'b': 1, 'a': [1, 2, 3] * 20}|pprint
[5]|random
[]|random is defined
n.bit_length() ~ n.real ~ n.imag ~ x.is_integer() ~ x.hex() ~ x.as_integer_ratio()
'{:,} {:_x} {:010,} {:c} {:z.1f} {:.3} {:#b}'.format(1234567, 99999, 1234, 65, -0.01, 3.0, 5)
'{0[a]} {0.b} {0[zz]} {x!a}'.format(d, x='é')
'{:{}.{}f}'.format(3.14159, 8, 2)
'{} {0}'.format(1, 2)
'{a} {b}'.format_map(d)
'%5.2f|%-5d|%+05d|%#06x|%a|%ld|%*d' % (1.5, 3, 4, 255, 'é', 7, 4, 1)
'<%s>'|safe % '<b>'
('<b>'|safe).replace('<', '>')
[html|safe, 'a']
('<b>'|safe)|upper is escaped
'<b>'|safe * 2 is escaped
('a'|safe).join(['<', '>'|safe])
('&amp;<i>x</i>'|safe).striptags() ~ ('&lt;'|safe).unescape()
-2 ** n
-2 ** 2
[1, 2].index(2) ~ (1, 2).count(1) ~ range(5).index(3)
l.copy() is sameas l
range(2, 9, 3)
range(10)[::3]
range(5)[1:3] == range(1, 3)
{missing: 1}
{range(3): 1}[range(3)]
missing in [missing2]
'ǆ'.isupper() ~ 'Ⅷ'.isupper() ~ '①'.isdigit() ~ '五'.isnumeric() ~ 'ΐ'.upper() ~ 'ß'.casefold()
dict.fromkeys([1, 'a'], 0) ~ {}.fromkeys('ab') ~ dict.fromkeys(5) is defined
dict.fromkeys(['x'])
cycler(1, 2).current
cycler()
joiner()() ~ 'x'
9223372036854775808
[9223372036854775808]|tojson
9223372036854775808 is integer
s.replace(old='a', new='b')
s.split(sep=',', maxsplit=1)
n|abs(x=1)
if
[1, 2][1,]
l[]
l[1:2, 1]
f(*l, *l)
f(a=1, a=2)
f(**d, a=1)
f(a=1, 2)
x|a.b
x is a.b
[]|batch('x')|length is defined
5|map('upper') is defined
5|map('upper')|list
0|map('nofilter')|list
[3, none, none, 3]|sort(attribute='zzz')|list
2.5|round(none)
'abc'|center(width=9)
'x' is filter
0or 1
1e5_0
"""

# Whole templates.
TEMPLATES = [
    "", "\n", "a\n", "a\n\n", "a\r\nb\rc\n", "{{ 'a' }}\n", "{{ 'a' }}\n\nb",
    "{% if t %}\nyes\n{% endif %}\nend", "  {% if t %}\n  yes\n  {% endif %}\n  end",
    "x  {% if t %}y{% endif %}  z", "  {%+ if t %}y{% endif %}", "{% if t +%}\ny{% endif %}",
    "a  {%- if t -%}  y  {%- endif -%}  b", "a \n {{- 'x' -}} \n b", "  {{ 'x' }}  ", "a\n  {{ 'x' }}\n  b",
    "{# c #}\na", "  {# c #}\na", "a {#- c -#} b", "{# {{ x }} {% if %} #}z", "{# unterminated", "{#- c +#}\nz", "{#-#}z",
    "{% raw %}{{ x }}{% if %}{% endraw %}", "{% raw %}\n a {% endraw %}\nb", "a {%- raw -%} b {%- endraw -%} c",
    "  {% raw %} x\n  {% endraw %}\ny", "{% raw %}x", "{%raw%}{#{%endraw%}z",
    "{{ '}}' }} {{ '%}' }}", "{{ {'a': {'b': 1}} }}", "{{ {'a': {}}}}", "{% set x = {'a': 1} %}{{ x.a }}", "{ {x} }", "{{", "{%", "{{ }}",
    "{{-1}}", "{{+1}}", "{{ -1 }}", "{{ 1 -}} \n a", "{{ 1 +}}",
    "\t{% if t %}\n\tx\n\t{% endif %}\n", "a\u00a0\n\u00a0{%- if t %}x{% endif %}", "a{% if t %}\n\n\nb{% endif %}",
    "{%- if t %}\n  a\n{%- endif %}\n  b", "{% if t -%}\n   a\n   {% endif %}", "x\n   {% if t %} y {% endif %} \nz",
    "{% if f %}a{% elif t %}b{% else %}c{% endif %}", "{% if f %}a{% elif f %}b{% else %}c{% endif %}", "{% if f %}a{% endif %}",
    "{% if undefinedvar %}a{% else %}b{% endif %}", "{% if n > 5 and n < 10 %}in{% endif %}", "{% if t %}a", "{% endif %}", "{% if %}a{% endif %}",
    "{% if t %}{% else %}{% else %}{% endif %}", "{% if 1, 2 %}x{% endif %}",
    "{% for i in l %}{{ i }},{% endfor %}", "{% for i in [] %}x{% else %}none{% endfor %}", "{% for i in undefinedvar %}x{% else %}none{% endfor %}",
    "{% for i in nil %}x{% endfor %}", "{% for i in 5 %}x{% endfor %}", "{% for c in 'aé🌍' %}{{ c }}.{% endfor %}",
    "{% for k in d %}{{ k }}{% endfor %}", "{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}", "{% for k, v in d %}{{ k }}{% endfor %}",
    "{% for a, (b, c) in [(1, (2, 3))] %}{{ a }}{{ b }}{{ c }}{% endfor %}", "{% for a, b in [(1, 2, 3)] %}x{% endfor %}", "{% for a, b in ['xy'] %}{{ a }}{{ b }}{% endfor %}",
    "{% for i in l %}{{ loop.index }}{{ loop.index0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.revindex }}{{ loop.revindex0 }} {% endfor %}",
    "{% for i in l %}{{ loop.previtem }}<{{ i }}>{{ loop.nextitem }} {% endfor %}", "{% for i in l %}{{ loop.previtem is defined }}{{ loop.nextitem is defined }}{% endfor %}",
    "{% for i in l %}{{ loop.cycle('a', 'b') }}{% endfor %}", "{% for i in [1, 1, 2, 2, 1] %}{{ loop.changed(i) }} {% endfor %}", "{% for i in l %}{{ loop.nope }}{% endfor %}",
    "{% for i in [1, 2, 3, 4] if i is even %}{{ i }}{{ loop.index }}{{ loop.length }}{% endfor %}", "{% for i in l if i > 99 %}x{% else %}none{% endfor %}",
    "{% for i in range(10) %}{% if i == 2 %}{% continue %}{% endif %}{% if i == 5 %}{% break %}{% endif %}{{ i }}{% endfor %}", "{% break %}", "{% for i in l %}{% endfor %}{% continue %}",
    "{% for i in l %}{% for j in l %}{{ loop.index }}{% if j == 1 %}{% break %}{% endif %}{% endfor %};{% endfor %}",
    "{% for i in [1, 2] %}{% set outer = loop %}{% for j in [1, 2] %}{{ outer.index }}{{ loop.index }} {% endfor %}{% endfor %}",
    "{% for i in l %}{% set x = i %}{% endfor %}{{ x }}", "{% set x = 1 %}{% for i in l %}{{ x }}{% set x = i %}{{ x }}{% endfor %}{{ x }}",
    "{% set ns = namespace(x=0) %}{% for i in l %}{% set ns.x = ns.x + i %}{% endfor %}{{ ns.x }}", "{% set ns = namespace() %}{% set ns.a = 1 %}{{ ns.a }}{{ ns.b }}",
    "{% set x = 1 %}{% set x.a = 2 %}", "{% set ns = namespace() %}{% set ns._a = 2 %}", "{% set d.a = 2 %}", "{% for i in l %}{{ i }}{% endfor %}{{ i }}", "{% for i in l %}{% endfor %}{{ loop }}",
    "{% for i in d.items() %}{{ i }}{% endfor %}", "{% for p in people|selectattr('age', 'gt', 26) %}{{ p.name }}{{ loop.last }}{{ loop.length }}{% endfor %}",
    "{% set g = people|map(attribute='name') %}{{ g|list }}{{ g|list }}{{ 'x' if g else 'y' }}", "{% set g = l|select %}{% for i in g %}{{ i }}{% endfor %}{% for i in g %}{{ i }}{% else %}empty{% endfor %}",
    "{% for m in people %}{% if loop.first %}A{% elif loop.last %}Z{% else %}-{% endif %}{% endfor %}", "{% for i in l recursive %}{% endfor %}{% for x in %}{% endfor %}", "{% for i in 1, 2 %}{{ i }}{% endfor %}",
    "{% for i in l %}a", "{% for 1 in l %}{% endfor %}", "{% for i in l if t else [] %}{{ i }}{% endfor %}",
    "{% set a = 1 %}{{ a }}", "{% set a, b = 1, 2 %}{{ a }}{{ b }}", "{% set a, b = 'xy' %}{{ a }}{{ b }}", "{% set a, b = 1 %}", "{% set (a, b) = [1, 2] %}{{ a }}{{ b }}", "{% set a = 1, 2 %}{{ a }}", "{% set a %}x{{ n }}y{% endset %}{{ a }}|{{ a|length }}",
    "{% set a | upper %}abc{% endset %}{{ a }}", "{% set a | replace('a', 'b') | upper %}abc{% endset %}{{ a }}", "{% set a %}\n  x\n{% endset %}[{{ a }}]", "{% set true = 1 %}", "{% set a = %}", "{% set a 1 %}", "{% set a %}x",
    "{% if t %}{% set a = 1 %}{% endif %}{{ a }}", "{% if f %}{% set a = 1 %}{% endif %}{{ a is defined }}", "{% set n = n + 1 %}{{ n }}",
    "{% macro m() %}x{% endmacro %}{{ m() }}{{ m() }}", "{% macro m(a, b=2) %}{{ a }}{{ b }}{% endmacro %}{{ m(1) }} {{ m(1, 3) }} {{ m(b=5, a=4) }} {{ m() }}",
    "{% macro m(a, b=a) %}{{ a }}{{ b }}{% endmacro %}{{ m(1) }}", "{% macro m(a) %}x{% endmacro %}{{ m(1, 2) }}", "{% macro m(a) %}x{% endmacro %}{{ m(b=2) }}", "{% macro m(a) %}x{% endmacro %}{{ m(1, a=2) }}", "{% macro m(a=1, b) %}{% endmacro %}",
    "{% macro m() %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, 2, x=3) }}", "{% macro m(a) %}{{ a is defined }}{% endmacro %}{{ m() }}", "{% macro m(a) %}{{ a.b }}{% endmacro %}{{ m() }}",
    "{% macro f(k) %}{% if k > 0 %}{{ k }}{{ f(k - 1) }}{% endif %}{% endmacro %}{{ f(5) }}", "{% macro m() %}{{ late }}{% endmacro %}{% set late = 3 %}{{ m() }}", "{% macro m() %}{% set n = 99 %}{{ n }}{% endmacro %}{{ m() }}{{ n }}",
    "{% macro m() %}{{ caller() }}{% endmacro %}{% call m() %}body{{ n }}{% endcall %}", "{% macro m() %}{{ caller(1, 2) }}{% endmacro %}{% call(a, b) m() %}{{ a }}-{{ b }}{% endcall %}", "{% macro m(x) %}[{{ x }}{{ caller() }}]{% endmacro %}{% call m(5) %}b{% endcall %}",
    "{% macro m() %}{{ caller is defined }}{% endmacro %}{{ m() }}", "{% call n %}x{% endcall %}", "{% macro m() %}a{% endmacro %}{{ m()|upper }}{{ m() ~ 'b' }}{{ m() == 'a' }}{{ m() is string }}", "{% macro m() %}\n  x\n{% endmacro %}[{{ m() }}]", "{{ m() }}{% macro m() %}x{% endmacro %}",
    "{% for i in l %}{% macro m() %}{{ i }}{% endmacro %}{{ m() }}{% endfor %}", "{% macro m(*a) %}{% endmacro %}", "{% macro m(l) %}{% for i in l %}{% if i is iterable %}({{ m(i) }}){% else %}{{ i }}{% endif %}{% endfor %}{% endmacro %}{{ m(nested) }}",
    "{% macro m(a, b, c) %}{{ a }}{{ b }}{{ c }}{% endmacro %}{{ m(*[1, 2], **{'c': 3}) }}", "{{ 'a{}b{}'.format(*l[:2]) }}", "{{ dict(**d)['a'] }}", "{% macro m() %}{% endmacro %}{{ m.name }}", "{% macro a() %}A{{ b() }}{% endmacro %}{% macro b() %}B{% endmacro %}{{ a() }}",
    "{% filter upper %}abc{{ s }}{% endfilter %}", "{% filter replace('a', 'x') | upper %}banana{% endfilter %}", "{% with a = 1, b = 2 %}{{ a }}{{ b }}{% endwith %}{{ a }}", "{% with n = 1 %}{% with m = n %}{{ m }}{% endwith %}{% endwith %}{{ n }}", "{% with %}{% set z = 1 %}{{ z }}{% endwith %}{{ z }}",
    "{% generation %}a{{ n }}{% endgeneration %}", "{% generation %}\na\n{% endgeneration %}\nb", "{% generation %}{% set a = 1 %}{{ a }}{% endgeneration %}{{ a }}", "{% for i in l %}{% generation %}{{ i }}{{ loop.index }}{% endgeneration %}{% endfor %}",
    "{% print 1 %}", "{% print(n) %}", "{% unknown %}", "{% do l.append(1) %}", "{% 5 %}", "{% include 'x' %}", "{% extends 'x' %}", "{{ raise_exception('x') if f else 'ok' }}", "{% if f %}{{ 1 / 0 }}{% endif %}ok", "{{ 'a' if t else 1 / 0 }}",
    "{{ 1, 2 }}", "{{ (1, 2)[0] }}", "{{ l[0], l[1] }}", "{% set x = namespace(l=[]) %}{% for i in l %}{% set x.l = x.l + [i * 2] %}{% endfor %}{{ x.l }}", "{% set x = [] %}{% for i in l %}{% set x = x + [i] %}{% endfor %}{{ x }}",
    "{% set x = [] %}{% set _ = x.append(1) %}{{ x }}", "{%- set x = 1 -%}\n\n{{- x -}}\n", "{%if t%}a{%endif%}", "{{n}}{{s}}", "{%  if  t  %}a{%  endif  %}", "{% if t %}{{ '\n' }}{% endif %}|", "{{ 'a\nb' }}", "{{ \"a\\nb\" }}\n{{ 'c' }}\n",
    "{% if (n > 5) %}a{% endif %}", "{% if not (t and f) %}a{% endif %}", "{{ (l|length) - 1 }}", "{{ l|length - 1 }}", "{{ l | length > 2 }}", "{{ s | upper ~ '!' }}", "{{ (s ~ '!') | upper }}", "{{ d.items() | list | length }}", "{{ l|map('string')|list|tojson }}",
    "{{ messages }}", "{{ people[0]['name'] + ' ' + people[1].name }}", "{{ people[-1].tag.k }}", "{% for p in people %}{{ p.name if p.age == 30 else '-' }}{{ ', ' if not loop.last }}{% endfor %}", "{% for p in people %}{{- p.name -}}{% endfor %}",
    "{%- for p in people -%}\n  {{- p.name -}}\n{%- endfor -%}\n", "{% for p in people %}\n* {{ p.name }}\n{% endfor %}\ndone\n", "{% set x = n if n else 1 %}{{ x }}", "{%- set ns = namespace(found=false) -%}{%- for i in l -%}{%- if i == 1 -%}{%- set ns.found = true -%}{%- endif -%}{%- endfor -%}{{ ns.found }}",
    "{% set a = 1 %}{# note #}{{ a }}{# end #}", "{{ '{{' }}{{ '{%' }}", "{{ \"{#\" }}", "{{ namespace(a=1) }}", "{% trans %}a{% endtrans %}", "{% set a = true and not false %}{{ a }}", "{{ ns }}{% set ns = namespace(a=[1]) %}{{ ns.a[0] }}",
    "{{ not }}", "{{ l[0:2][0] }}", "{% set l2 = l[1:] %}{{ l2 }}", "{{ {'role': 'user', 'content': 'x'} }}", "{{ [{'a': none}] | tojson }}", "{{ '\\\\n' }}", "{{ 'a' if undefinedvar is defined and undefinedvar.x else 'b' }}", "{{ 'A' 'B' ~ 'C' }}", "{% if 'a' in d and d['a'] is not none %}y{% endif %}",
    "{% for x in nested recursive %}{% if x is iterable %}({{ loop(x) }}){% else %}{{ x }}{{ loop.depth }}{% endif %}{% endfor %}",
    "{% for x in [] recursive %}{% else %}none{% endfor %}", "{% for x in [1] %}{{ loop([2]) }}{% endfor %}",
    "{% for x in l if x > 1 recursive %}{{ x }}{{ loop.length }}{% endfor %}", "{{ loop }}{% for x in l %}{{ loop }}{% endfor %}",
    "{% for x in l %}{{ loop.previtem }}<{{ x }}>{{ loop.nextitem }};{{ loop.changed(x > 1) }}{{ loop.cycle('a', 'b') }}{{ loop.revindex0 }}{% endfor %}",
    "{% for x in l|select %}{{ loop.last }}{{ loop.length }}{% endfor %}", "{% for x in l %}{% continue %}{% else %}x{% endfor %}",
    "{% set ns = namespace(on=true) %}{% for x in l if ns.on %}{{ x }}{% set ns.on = false %}{% endfor %}", "{% for x in l %}{{ n }}{% endfor %}{% set n = 1 %}",
    "{% set n %}[{{ n }}]{% endset %}{{ n }}", "{% filter upper %}{{ s }}{% endfilter %}{% set s = 1 %}",
    "{% for i in l %}{% if loop.first %}{% set s = i %}{% endif %}{{ s }}{% endfor %}", "{% macro m() %}{{ late }}{% endmacro %}{{ m() }}{% set late = 3 %}{{ m() }}",
    "{% for i in l %}{% if loop.first %}{% macro m() %}{{ i }}{% endmacro %}{% set ns = namespace(m=m) %}{% endif %}{{ m() if m }}{% endfor %}",
    "{% block a %}A{{ n }}{% endblock %}{{ self.a() }}{{ self.b is defined }}", "{% for i in l %}{% block a scoped %}{{ i }}{{ loop.index }}{% endblock %}{% endfor %}",
    "{% for i in l %}{% block a %}{{ i }}{% endblock %}{% endfor %}", "{% block a %}{{ super() }}{% endblock %}",
    "{% block a %}{% endblock %}{% block a %}{% endblock %}", "{% block a required %}{% endblock %}", "{% if f %}{% block a required %}x{% endblock %}{% endif %}",
    "{% block a %}{% endblock b %}", "{% block a %}x{% endblock a %}",
    "{% if f %}{% include 'x' %}{% import 'x' as y %}{% from 'x' import z as w, v with context %}{% endif %}ok", "{% include 'x' ignore missing %}",
    "{% include [] ignore missing %}ok", "{% if f %}{% extends 'x' %}{% endif %}ok", "{% for i in l %}{% extends 'x' %}{% endfor %}", "{% from 'x' import _y %}",
    "{% autoescape true %}{{ html }}{{ html|safe }}{{ html ~ s }}{{ (html|safe) ~ '<' }}{{ ['<', '>'|safe]|join('&') }}{{ '<a>'|replace('a', '<'|safe) }}{% endautoescape %}{{ html }}",
    "{% autoescape true %}{% set x %}<{{ html }}>{% endset %}{{ x }}{% macro m() %}<{{ s }}>{% endmacro %}{{ m() }}{{ m() is escaped }}{% endautoescape %}",
    "{% autoescape f %}{{ html }}{% endautoescape %}", "{% print n, s %}{% print %}", "{% if t: %}x{% endif %}{% for i in l: %}{{ i }}{% endfor %}",
    "{% if n if t else f %}x{% endif %}", "{% set if = 1 %}{{ if }}", "{% if f %}{{ x|nofilter }}{% endif %}ok", "{% for i in [] %}{{ x|nofilter }}{% endfor %}ok",
    "{{ (x|nofilter) if f else 1 }}", "{% macro m() %}{{ x is notest }}{% endmacro %}", "{% macro m(a, a) %}{% endmacro %}",
    "{% macro m(caller) %}{{ caller() }}{% endmacro %}", "{% macro m(caller=none) %}{{ caller }}{% endmacro %}{{ m() }}", "{% for loop in l %}{% endfor %}",
    "{% for i in l %}{% set loop = 1 %}{% endfor %}", "{% call(x) n %}{% endcall %}", "{% macro m() %}x{% endmacro %}{% call m() %}y{% endcall %}",
    "{% macro m() %}{{ kwargs }}{{ caller() }}{% endmacro %}{% call m(a=1, **{'b': 2}) %}y{% endcall %}", "{% filter length %}abc{% endfilter %}",
    "{% set a, b %}x{% endset %}", "{% with a, b = (1, 2) %}{{ a }}{% endwith %}", "{% for i in l %}{% filter upper %}a{% break %}{% endfilter %}{% endfor %}done",
    "{% generation %}{{ caller }}{% endgeneration %}", "{{ 1 }}{#", "{{ 1 }}{#-", "{% raw %}", "{% set ns = namespace(a=1) %}{% set ns.a, b = 2, 3 %}{{ ns.a }}{{ b }}",
    "{% set (ns.a) = 1 %}", "{% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.current }}{{ c.next() }}{{ c.reset() }}{{ c.pos }}",
    "{% set j = joiner('|') %}{% for i in l %}{{ j() }}{{ i }}{% endfor %}",
]

SNIPPETS = ["{{ " + line + " }}" for line in EXPRESSIONS.replace("\\\nb", "\\\0b").strip().split("\n")] + TEMPLATES
SNIPPETS = [snippet.replace("\\\0b", "\\\nb") for snippet in SNIPPETS]
