// Hostile templates: each ends soon, in one clean error that says where, on a small stack.
#include <gtest/gtest.h>
#include <pthread.h>

#include <ctime>
#include <functional>

#include "text/chat_template.hpp"

namespace brisk::text {
namespace {

/// Runs on a thread with a stack of 1 MiB (more under a sanitizer, whose frames are larger).
void on_small_stack(std::function<void()> body) {
#if defined(BRISK_SANITIZED)
  constexpr size_t kStack = 8U << 20;
#else
  constexpr size_t kStack = 1U << 20;
#endif
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kStack);
  pthread_t thread;
  const auto run = [](void* argument) -> void* {
    (*static_cast<std::function<void()>*>(argument))();
    return nullptr;
  };
  ASSERT_EQ(pthread_create(&thread, &attributes, run, &body), 0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
}

Result<std::string> render(std::string_view source, const Json& variables = Json::object(),
                           TemplateLimits limits = {}) {
  Result<ChatTemplate> parsed = ChatTemplate::parse(source, "t.jinja", limits);
  if (!parsed.ok()) return parsed.status();
  return parsed->render(variables);
}

#if defined(BRISK_SANITIZED)
constexpr double kMostSeconds = 20;
#else
constexpr double kMostSeconds = 1;
#endif

double thread_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

/// The message of the error that the template must end in, within a second (of this thread's own time).
std::string refusal(const std::string& source, const Json& variables = Json::object(),
                    TemplateLimits limits = {}) {
  std::string message;
  on_small_stack([&] {
    const double begin = thread_seconds();
    const Result<std::string> result = render(source, variables, limits);
    EXPECT_LT(thread_seconds() - begin, kMostSeconds) << source.substr(0, 200);
    ASSERT_FALSE(result.ok()) << source.substr(0, 100) << "\nrendered " << result->substr(0, 100);
    EXPECT_EQ(result.status().code(), StatusCode::kBadInput);
    message = result.status().message();
    EXPECT_TRUE(message.starts_with("t.jinja")) << message;
    EXPECT_LE(message.size(), 2048U);
  });
  return message;
}

std::string repeated(const std::string& text, size_t times) {
  std::string out;
  for (size_t i = 0; i < times; ++i) out += text;
  return out;
}

TEST(TemplateLimits, NestedSourceIsRefused) {
  constexpr size_t kMany = 100'000;
  EXPECT_NE(refusal("{{ " + std::string(kMany, '(') + "1" + std::string(kMany, ')') + " }}").find("levels"),
            std::string::npos);
  for (const char* unit : {"[", "{'a':", "not ", "-", "a[", "a(", "1 if ", "1 if 1 else ", "a.b(", "'a' ~ (",
                           "x|f(", "x is f(", "{{"}) {
    refusal("{{ " + repeated(unit, kMany));  // never closed
    refusal("{{ " + repeated(unit, kMany) + "1 }}");
  }
  for (const char* unit :
       {"{% block a %}", "{% autoescape x %}", "{% set x|f %}", "{% for a in b recursive %}",
        "{% for a in b if c %}", "{% if x %}", "{% for a in b %}", "{% macro m() %}", "{% set x %}",
        "{% filter f %}", "{% with %}", "{% call f() %}", "{% generation %}", "{% if x %}{% else %}"}) {
    refusal(repeated(unit, 10'000));
  }
  refusal("{% set " + std::string(10'000, '(') + "a");
}

TEST(TemplateLimits, LargeSourcesAreReadInLinearTime) {
  // Each of these was chosen because a careless reader takes the square of its length.
  refusal("{{ f(" + repeated("1,", 300'000) + ") }}");
  refusal("{{ f(" + repeated("a=1,", 200'000) + ") }}");
  refusal(repeated("{% if x %}{% set a = 1 %}{% endif %}", 25'000) + "{{ 1/0 }}");
  refusal("{% if x %}" + repeated("{% elif x %}{% set a = b %}", 30'000) + "{% endif %}{{ 1/0 }}");
  std::string many_names;
  for (int i = 0; i < 20'000; ++i) many_names += "{% set a" + std::to_string(i) + " = 1 %}";
  refusal(many_names + repeated("{% if x %}{% endif %}", 10'000) + "{{ 1/0 }}");
  std::string many_blocks;
  for (int i = 0; i < 10'000; ++i)
    many_blocks += "{% block b" + std::to_string(i) + " scoped %}{{ self.b0 }}{% endblock %}";
  refusal(many_names + many_blocks);
  refusal(repeated("{% for i in x %}", 100) + repeated("{{ loop }}", 50'000) + repeated("{% endfor %}", 100) +
          "{{ 1/0 }}");
  refusal(repeated("{#", 500'000));
  refusal(repeated("{% raw %}", 100'000));
  refusal("{{ '" + repeated("\\", 400'000));
}

TEST(TemplateLimits, LongChainsDoNotRecurse) {
  refusal("{{ a" + repeated(".b", 100'000) + " }}");
  refusal("{{ 1" + repeated(" + 1", 100'000) + " }}");
  refusal("{{ a" + repeated("|upper", 100'000) + " }}");
  // These are flat however long they are.
  on_small_stack([] {
    EXPECT_EQ(render("{{ 1" + repeated(" ~ 1", 1000) + " }}")->size(), 1001U);
    EXPECT_EQ(*render("{{ 0" + repeated(" or 0", 10'000) + " or 7 }}"), "7");
    EXPECT_EQ(*render("{{ 1" + repeated(" <= 1", 10'000) + " }}"), "True");
    EXPECT_EQ(*render("{% if 0 %}" + repeated("{% elif 0 %}", 10'000) + "{% else %}z{% endif %}"), "z");
    EXPECT_EQ(render("{{ [" + repeated("1,", 10'000) + "]|length }}").value(), "10000");
  });
}

TEST(TemplateLimits, EndlessWorkStops) {
  for (
      const char* source : {
          "{% for a in range(25000) %}{% for b in range(25000) %}{% endfor %}{% endfor %}",
          "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
          "{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}{{ a() }}{% endmacro %}{{ a() }}",
          "{% macro m() %}{% call m() %}{{ caller() }}{% endcall %}{% endmacro %}{{ m() }}",
          "{% macro m(n) %}{{ m(n) }}{{ m(n) }}{% endmacro %}{{ m(1) }}",
          "{{ range(10**9) }}",
          "{{ 'x' * 10**12 }}",
          "{{ 'x' * 10**7 * 10 }}",
          "{{ [0] * 10**12 }}",
          "{{ [[0] * 1000] * 10**9 }}",
          "{% set ns = namespace(s='ab') %}{% for i in range(100) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
          "{% set ns = namespace(s=[1]) %}{% for i in range(100) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
          "{% set ns = namespace(s=[1]) %}{% for i in range(100) %}{% set ns.s = [ns.s, ns.s] %}{% endfor "
          "%}{{ ns.s }}",
          "{% set ns = namespace(s=[1], t=[1]) %}{% for i in range(100) %}{% set ns.s = [ns.s, ns.s] %}"
          "{% set ns.t = [ns.t, ns.t] %}{% endfor %}{{ ns.s == ns.t }}",
          "{% set ns = namespace(s=(1,)) %}{% for i in range(100) %}{% set ns.s = (ns.s, ns.s) %}{% endfor "
          "%}{{ {ns.s: 1} }}",
          "{% set ns = namespace(s=[1]) %}{% for i in range(100) %}{% set ns.s = [ns.s, ns.s] %}{% endfor "
          "%}{{ ns.s|tojson }}",
          "{% set ns = namespace(s=[1]) %}{% for i in range(100) %}{% set ns.s = [ns.s, ns.s] %}{% endfor "
          "%}{{ ns.s|unique|list }}",
          "{% set ns = namespace(s=[]) %}{% for i in range(10000) %}{% set ns.s = [ns.s] %}{% endfor %}",
          "{% set ns = namespace(s={}) %}{% for i in range(10000) %}{% set ns.s = {'a': ns.s} %}{% endfor %}",
          "{% set ns = namespace() %}{% set ns.me = ns %}{{ ns }}",
          "{% set ns = namespace() %}{% set ns.me = [ns] %}{{ ns }}",
          "{{ '%1000000000d' % 1 }}",
          "{{ '%10000000d' % 1 }}{{ '%10000000d' % 1 }}",
          "{{ 'a'.center(10**9) }}",
          "{{ 'a'.ljust(10**12) ~ 'a'.rjust(10**12) }}",
          "{{ 'a'|center(10**12) }}",
          "{{ 'a' * 10**9 }}",
          "{{ '{:,}'.format(1) }}{{ '{:099999999,}'.format(1) }}",
          "{{ '{:{}}'.format(1, 10**9) }}",
          "{{ '%.99999999d' % 1 }}",
          "{{ 'a b'|wordwrap(1)|length }}{% for i in range(99999) %}{{ ('a ' * 1000)|wordwrap(1) }}{% endfor "
          "%}",
          "{% for i in range(99999) %}{{ ('<a>' * 1000)|striptags }}{% endfor %}",
          "{% for i in range(99999) %}{{ ('&amp' * 1000)|striptags }}{% endfor %}",
          "{% for i in range(99999) %}{{ ('www.a.com ' * 100)|urlize }}{% endfor %}",
          "{{ ('(' * 10**6 ~ 'www.a.com' ~ ')' * 10**6)|urlize }}{{ ('x(' * 10**5 ~ ')' * 10**5)|urlize }}{{ "
          "1/0 }}",
          "{% set ns = namespace(s=[1]) %}{% for i in range(100) %}{% set ns.s = [ns.s, ns.s] %}{% endfor "
          "%}{{ ns.s|pprint }}",
          "{% set ns = namespace(s='x') %}{% for i in range(50) %}{% set ns.s = [ns.s] %}{% endfor %}{{ "
          "([ns.s] * 10000)|pprint }}{{ 1/0 }}",
          "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
          "{% for x in [1, 2] recursive %}{{ loop([1, 2]) }}{% endfor %}",
          "{% block a %}{{ self.a() }}{% endblock %}",
          "{% macro a() %}{% for x in [1] recursive %}{{ a() }}{{ loop([1]) }}{% endfor %}{% endmacro %}{{ "
          "a() }}",
          "{% for i in range(99999) %}{% block b scoped %}{{ i }}{% endblock %}{% for j in range(99999) %}{% "
          "endfor %}{% endfor %}",
          "{% set c = cycler(1, 2) %}{% for i in range(99999) %}{% for j in range(99999) %}{{ c.next() }}{% "
          "endfor %}{% endfor %}",
          "{% autoescape true %}{{ ('<' * 10**6) ~ ('<'|e) * 10**6 }}{{ ('<' * 10**6)|e|e }}{{ 1/0 }}{% "
          "endautoescape %}",
          "{{ ('&' * 10**6)|forceescape|replace('a', '&'|e * 10**6) }}",
          "{% for i in range(99999) %}{{ ('a' * 10**6)|urlencode }}{% endfor %}",
          "{{ strftime_now('%999d' * 100000) }}",
          "{{ '{}'.format('a' * 10**6) * 10**3 }}",
          "{% set ns = namespace(s=[1]) %}{% for i in range(100) %}{% set ns.s = [ns.s, ns.s] %}{% endfor "
          "%}{{ ns.s|join }}",
          "{{ '%.1000000000f' % 1.5 }}",
          "{{ '%*d' % (10**12, 1) }}",
          "{{ '{:1000000000}'.format(1) }}",
          "{{ 'a'.center(10**12) }}",
          "{{ 'a'.zfill(10**12) }}",
          "{{ 'a'|indent(10**12) }}",
          "{{ '\\t'.expandtabs(10**12) }}",
          "{{ [1]|batch(10**12, 0)|list }}",
          "{{ [1]|slice(10**12)|list }}",
          "{{ ('a' * 10**6).replace('', 'b' * 10**6) }}",
          "{{ ('a' * 10**6).replace('a', 'b' * 10**6) }}",
          "{{ ('b' * 10**5).join('a' * 10**5) }}",
          "{% set a = 'a' * 10**6 %}{{ a.rfind('b' + a[1:]) }}{{ a.strip(a) }}{% for i in range(10**4) %}{{ "
          "a.find('b') }}{% endfor %}",
          "{% set a = range(99999)|list %}{% for i in a %}{{ a|sort }}{% endfor %}",
          "{{ [1]|tojson(indent=10**12) }}",
          "{% set a = range(10000)|list %}{% for i in a %}{% if 'x' in a %}{% endif %}{% endfor %}",
          "{% set a %}{% for i in range(99999) %}xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx{% endfor %}{% "
          "endset %}{% for i in range(99999) %}{{ a|upper }}{% endfor %}",
      }) {
    refusal(source);
  }
}

TEST(TemplateLimits, ArithmeticEndsInErrors) {
  for (const char* source :
       {"{{ 1/0 }}", "{{ 1//0 }}", "{{ 1 % 0 }}", "{{ 1.5 % 0 }}", "{{ 0 ** -1 }}",
        "{{ 9223372036854775807 + 1 }}", "{{ (-9223372036854775807 - 1) // -1 }}",
        "{{ -(-9223372036854775807 - 1) }}", "{{ (-9223372036854775807 - 1)|abs }}",
        "{{ 3037000500 * 3037000500 }}", "{{ 10 ** 19 }}", "{{ 9223372036854775808 + 1 }}",
        "{{ -9223372036854775808 }}", "{{ 1e400 }}", "{{ [1][::0] }}", "{{ range(1, 2, 0) }}",
        "{{ 10.0 ** 400 }}", "{{ 9223372036854775807|round(-1) }}", "{{ (1e308 * 10)|int }}"}) {
    refusal(source);
  }
  EXPECT_EQ(*render("{{ (-9223372036854775807 - 1) % -1 }}"), "0");
  EXPECT_EQ(
      *render("{{ [1][-(10**18)] is defined }}{{ [1][-(10**18):10**18] }}{{ 'abc'[10**18::-(10**18)] }}"),
      "False[1]c");
  EXPECT_EQ(*render("{{ range(-9 * 10**18, 9 * 10**18, 6 * 10**18)|list }}"),
            "[-9000000000000000000, -3000000000000000000, 3000000000000000000]");
}

TEST(TemplateLimits, ErrorsSayWhere) {
  EXPECT_EQ(refusal("line one\n  {{ 'é' ~ missing.attr }}\n"),
            "t.jinja:2:19, in `{{ 'é' ~ missing.attr }}`: expected a defined value, got 'missing' is "
            "undefined; try "
            "testing with 'is defined' first");
  EXPECT_EQ(refusal("a\n{% if x %}\nb"),
            "t.jinja:3:1, in `b`: expected the block to end with {% endif %}, got the end of the template");
  EXPECT_NE(refusal("{{ raise_exception('roles must alternate') }}").find("got roles must alternate"),
            std::string::npos);
  EXPECT_NE(refusal("{{ [].append(1) }}").find("would change a list"), std::string::npos);
  EXPECT_NE(refusal("{{ 1|nofilter }}").find("a known filter"), std::string::npos);
  EXPECT_NE(refusal(std::string(5000, ' ') + "{{ 1/0 }}" + std::string(5000, 'x')).find("{{ 1/0 }}"),
            std::string::npos);
  EXPECT_NE(refusal("\xFF").find("UTF-8"), std::string::npos);
}

TEST(TemplateLimits, TheGivenLimitsHold) {
  EXPECT_NE(refusal("{{ 'abc' }}", Json::object(), {.source_bytes = 10}).find("at most 10 bytes"),
            std::string::npos);
  EXPECT_NE(refusal("{% for i in range(20) %}0123456789{% endfor %}", Json::object(), {.output_bytes = 100})
                .find("output"),
            std::string::npos);
  EXPECT_NE(
      refusal("{% for i in range(1000) %}{% endfor %}", Json::object(), {.steps = 1000}).find("1000 steps"),
      std::string::npos);
  EXPECT_NE(refusal("{{ ((((((1)))))) }}", Json::object(), {.depth = 5}).find("5 levels"), std::string::npos);
  Json deep = Json::array();
  for (int i = 0; i < 300; ++i) deep = Json::array({std::move(deep)});
  EXPECT_NE(refusal("{{ deep }}", {{"deep", std::move(deep)}}).find("200 levels"), std::string::npos);
  EXPECT_NE(refusal("{{ s }}", {{"s", "\xFF"}}).find("UTF-8"), std::string::npos);
  EXPECT_NE(refusal("{{ s }}", Json::array()).find("object"), std::string::npos);
}

TEST(TemplateLimits, LongConversationsFit) {
  Json messages = Json::array();
  for (int i = 0; i < 1000; ++i)
    messages.push_back({{"role", i % 2 ? "assistant" : "user"}, {"content", std::string(4000, 'x')}});
  const auto result = render(
      "{% for m in messages %}{% set c = m.content.split('</think>')[-1].strip() %}<{{ m['role'] }}>{{ "
      "c|trim + '\n' }}{% endfor %}",
      {{"messages", std::move(messages)}});
  ASSERT_TRUE(result.ok()) << result.status().message();
  EXPECT_GT(result->size(), 4'000'000U);
}

TEST(TemplateLimits, TheClockCanBeFixed) {
  setenv("BRISK_NOW", "2025-01-02T03:04:05Z", 1);
  EXPECT_EQ(*render("{{ strftime_now('%d %b %Y %H:%M:%S %a %j') }}"), "02 Jan 2025 03:04:05 Thu 002");
  setenv("BRISK_NOW", "2025-01-02", 1);
  EXPECT_EQ(*render("{{ strftime_now('%Y%m%d%H') }}"), "2025010200");
  refusal("{{ strftime_now('%100000000d') }}");
  setenv("BRISK_NOW", "yesterday", 1);
  refusal("{{ strftime_now('%Y') }}");
  unsetenv("BRISK_NOW");
  EXPECT_EQ(render("{{ strftime_now('%Y') }}")->size(), 4U);
}

}  // namespace
}  // namespace brisk::text
