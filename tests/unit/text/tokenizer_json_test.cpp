// tokenizer.json: what is read, what is refused and how that is said, and that no change to a file does harm.
// Equality with Hugging Face's tokenizers: tests/differential/test_tokenizer_json.py.
#include "text/tokenizer_json.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "base/utf8.hpp"
#include "support/tokenizer_json_samples.hpp"

namespace brisk::text {
namespace {

using test::tokenizer_json;
using Ids = std::vector<int32_t>;

Result<std::unique_ptr<Tokenizer>> open(const std::string& json, const std::string& config = "") {
  BRISK_ASSIGN(TokenizerSpec spec, read_tokenizer_json(json, config, "t.json"));
  return create_tokenizer(std::move(spec));
}

std::unique_ptr<Tokenizer> make(const std::string& json, const std::string& config = "") {
  auto tokenizer = open(json, config);
  EXPECT_TRUE(tokenizer.ok()) << tokenizer.status().message();
  return tokenizer.ok() ? std::move(tokenizer).value() : nullptr;
}

std::string refusal(const std::string& json, const std::string& config = "") {
  const auto tokenizer = open(json, config);
  EXPECT_FALSE(tokenizer.ok()) << json;
  if (tokenizer.ok()) return "";
  EXPECT_EQ(tokenizer.status().code(), StatusCode::kBadInput);
  return tokenizer.status().message();
}

void expect_refused(const std::string& json, const std::string& part, const std::string& config = "") {
  const std::string message = refusal(json, config);
  EXPECT_NE(message.find(part), std::string::npos) << message;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

TEST(TokenizerJson, ByteLevelBpe) {
  const auto tokenizer = make(test::byte_bpe_json());
  EXPECT_EQ(tokenizer->encode("ab ab").value(), (Ids{2, 4, 6}));
  EXPECT_EQ(tokenizer->encode("ab ab", {.add_special = false}).value(), (Ids{2, 4}));
  EXPECT_EQ(tokenizer->encode("a<|end|>", {.add_special = false}).value(), (Ids{0, 6}));
  EXPECT_EQ(tokenizer->encode("a<|end|>", {.add_special = false, .parse_special = false}).value(), (Ids{0}));
  EXPECT_EQ(tokenizer->encode("a  <u>b", {.add_special = false}).value(), (Ids{0, 9, 1})) << "lstrip";
  EXPECT_EQ(tokenizer->decode(Ids{2, 4, 6, 9}).value(), "ab ab<|end|><u>");
  EXPECT_EQ(tokenizer->size(), 10) << "7 and 8 are holes";
  EXPECT_EQ(tokenizer->token_text(8), "");
}

TEST(TokenizerJson, Unigram) {
  const auto tokenizer = make(test::unigram_json());
  EXPECT_EQ(tokenizer->encode("a  b").value(), (Ids{1, 3, 2}));
  EXPECT_EQ(tokenizer->encode("axyb").value(), (Ids{1, 0, 2})) << "unknown characters are one unknown token";
  EXPECT_EQ(tokenizer->decode(Ids{1, 3, 2}).value(), "a b");
}

TEST(TokenizerJson, WordPiece) {
  const auto tokenizer = make(test::word_piece_json());
  EXPECT_EQ(tokenizer->encode("Unable.").value(), (Ids{1, 3, 4, 5, 2}));
  EXPECT_EQ(tokenizer->encode("unx").value(), (Ids{1, 0, 2}));
  EXPECT_EQ(tokenizer->decode(Ids{3, 4, 5}).value(), "unable.");
}

TEST(TokenizerJson, CharacterBpeWithByteFallback) {
  const auto tokenizer = make(test::character_bpe_json());
  EXPECT_EQ(tokenizer->encode("a a\nx").value(), (Ids{6, 6, 3, 0}));
  EXPECT_EQ(tokenizer->decode(Ids{6, 6, 3}).value(), "a a\n");
}

TEST(TokenizerJson, WordLevelKnowsWholeWordsOnly) {
  const auto tokenizer = make(test::word_level_json());
  EXPECT_EQ(tokenizer->encode("one12two onetwo x.").value(), (Ids{1, 2, 0, 0}));
  EXPECT_EQ(tokenizer->decode(Ids{1, 2}).value(), "one two");
}

TEST(TokenizerJson, StepsAfterByteLevelSeeTheAlphabet) {
  // U+00B2 is a number, and what stands for the byte B2, which "Ų" (C5 B2) holds: cut there, the pair cannot
  // merge.
  const std::string whole = tokenizer_json(
      R"({"type":"BPE","vocab":{"Å":0,"²":1,"Å²":2},"merges":["Å ²"]})",
      R"(,"pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"ByteLevel","add_prefix_space":false},
      {"type":"Digits","individual_digits":true}]},"decoder":{"type":"ByteLevel"})");
  EXPECT_EQ(make(whole)->encode("Ų").value(), (Ids{0, 1}));
  const std::string before =
      replaced(replaced(whole, R"({"type":"Digits","individual_digits":true})", "null"),
               R"("pretokenizers":[)", R"("pretokenizers":[{"type":"Digits","individual_digits":true},)");
  EXPECT_EQ(make(before)->encode("Ų").value(), (Ids{2}));
}

TEST(TokenizerJson, AByteLevelNormalizerIsSpelledOnce) {
  const std::string json =
      tokenizer_json(R"({"type":"BPE","vocab":{"Ã":0,"©":1,"Ġ":2,"Ã©":3},"merges":["Ã ©"]})",
                     R"(,"normalizer":{"type":"ByteLevel"},"decoder":{"type":"ByteLevel"})");
  const auto tokenizer = make(json);
  EXPECT_EQ(tokenizer->encode("é é").value(), (Ids{3, 2, 3}));
  EXPECT_EQ(tokenizer->decode(Ids{3, 2, 3}).value(), "é é");
}

TEST(TokenizerJson, ModelsWithoutATypeAreTold) {
  EXPECT_EQ(make(replaced(test::byte_bpe_json(), R"("type":"BPE",)", ""))->encode("ab").value(), (Ids{2, 6}));
  EXPECT_EQ(make(replaced(test::unigram_json(), R"("type":"Unigram",)", ""))->encode("a").value(), (Ids{1}));
  EXPECT_EQ(
      make(replaced(test::word_piece_json(), R"("type":"WordPiece","unk)", "\"unk"))->encode("un").value(),
      (Ids{1, 3, 2}));
  EXPECT_EQ(make(replaced(test::word_level_json(), R"("type":"WordLevel",)", ""))->encode("one").value(),
            (Ids{1}));
}

TEST(TokenizerJson, PostProcessorsGoAroundEachOther) {
  const std::string base = replaced(test::word_piece_json(), R"("post_processor":{"type":"BertProcessing",
"sep":["[SEP]",2],"cls":["[CLS]",1]})",
                                    R"("post_processor":{"type":"Sequence","processors":[
{"type":"ByteLevel","trim_offsets":false},{"type":"RobertaProcessing","sep":["[SEP]",2],"cls":["[CLS]",1]},
{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"x","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],
"special_tokens":{"x":{"id":"x","ids":[5,4],"tokens":["x","y"]}}}]})");
  EXPECT_EQ(make(base)->encode("un").value(), (Ids{5, 4, 1, 3, 2}));
}

TEST(TokenizerJson, ConfigNamesTokensAndReplacesWhatIsAdded) {
  const std::string json = test::character_bpe_json();
  const std::string config =
      R"({"bos_token":"<s>","eos_token":{"content":"</s>","lstrip":false},"unk_token":null,
"added_tokens_decoder":{"1":{"content":"<s>","special":true},"7":{"content":"<new>","special":true}}})";
  const auto plain = make(json, config);
  EXPECT_EQ(plain->bos(), 1);
  EXPECT_EQ(plain->eos(), 2);
  EXPECT_EQ(plain->find("<new>"), 7);
  EXPECT_EQ(plain->encode("<new>").value(), (Ids{7}));
  EXPECT_EQ(make(json, R"({"bos_token":"<s>","eos_token":"</s>","add_bos_token":true,"add_eos_token":true})")
                ->encode("a")
                .value(),
            (Ids{1, 6, 2}));
  EXPECT_EQ(make(test::byte_bpe_json(), R"({"add_bos_token":false})")->encode("a").value(), (Ids{0}))
      << "the template is replaced";
  EXPECT_EQ(make(json, R"({"bos_token":"<nowhere>"})")->bos(), -1);
  expect_refused(json, "tokenizer_config.json:1:1", "x");
  expect_refused(json, "tokenizer_config.json: add_bos_token: expected true or false",
                 R"({"add_bos_token":1})");
  expect_refused(json, "added_tokens_decoder.-1", R"({"added_tokens_decoder":{"-1":{"content":"q"}}})");
  expect_refused(json, "an object", "[]");
}

// --- Refusals (reliability.md, tokenizer files and text) ---------------------------------------------

TEST(TokenizerJson, CutFilesSayWhere) {
  const std::string json = test::byte_bpe_json();
  for (size_t length = 0; length < json.size(); ++length) {
    EXPECT_TRUE(refusal(json.substr(0, length)).find("t.json:") != std::string::npos) << length;
  }
  expect_refused("{\n \"model\": {\n  \"vocab\": {\"a\": x}}}", "t.json:3:18: expected valid JSON");
  expect_refused("[]", "t.json:1:1: expected an object");
  expect_refused("5", "expected an object");
  expect_refused("\"text\"", "expected an object");
  expect_refused("{}", "expected a \"model\", got none");
  expect_refused(R"({"model":null})", "model: expected an object");
  expect_refused(R"({"model":{}})", "expected a \"vocab\"");
  expect_refused(R"({"model":{"vocab":null}})", "a vocabulary");
  expect_refused(R"({"model":{"vocab":{}},"model":{"vocab":{}}})", "a second one");
  expect_refused(tokenizer_json(R"({"vocab":{},"vocab":{}})"), "a second one");
}

TEST(TokenizerJson, UnknownPartsAreNamedWithTheKnownOnes) {
  expect_refused(replaced(test::byte_bpe_json(), R"("type":"BPE")", R"("type":"Morse")"),
                 "model.type: expected one of BPE, Unigram, WordLevel, WordPiece, got \"Morse\"");
  expect_refused(replaced(test::byte_bpe_json(), R"("type":"NFC")", R"("type":"NFX")"), "normalizer.type");
  expect_refused(replaced(test::byte_bpe_json(), R"("pre_tokenizer":{"type":"ByteLevel")",
                          R"("pre_tokenizer":{"type":"Scissors")"),
                 "pre_tokenizer.type: expected one of BertPreTokenizer, ByteLevel");
  expect_refused(replaced(test::byte_bpe_json(), "TemplateProcessing", "Wrap"),
                 "post_processor.type: expected one of BertProcessing");
  expect_refused(
      replaced(test::byte_bpe_json(), R"("decoder":{"type":"ByteLevel")", R"("decoder":{"type":"CTC")"),
      "decoder.type: expected one of BPEDecoder");
}

TEST(TokenizerJson, IdsMustBeSound) {
  const auto vocabulary = [](const std::string& text) {
    return tokenizer_json(R"({"type":"BPE","merges":[],"vocab":)" + text + "}");
  };
  make(vocabulary(R"({"a":0,"b":5})"));
  make(vocabulary(R"({"a":0,"":1})"));
  expect_refused(vocabulary(R"({"a":0,"b":0})"), "an id of its own for \"b\", got 0, which is \"a\"");
  expect_refused(vocabulary(R"({"a":0,"a":1})"), "a text of its own");
  expect_refused(vocabulary(R"({"a":-1})"), "-1 for \"a\"");
  expect_refused(vocabulary(R"({"a":2147483648})"), "2147483648 for \"a\"");
  expect_refused(vocabulary(R"({"a":18446744073709551615})"), "an id from 0 to");
  expect_refused(vocabulary(R"({"a":1e3})"), "an id from 0 to");
  expect_refused(vocabulary(R"({"a":50000000})"), "an id from 0 to");
  expect_refused(vocabulary(R"({"a":null})"), "an id from 0 to");
  expect_refused(vocabulary(R"({"a":"0"})"), "an id from 0 to");
  expect_refused(vocabulary(R"({"a":[0]})"), "t.json:1");
  expect_refused(vocabulary("{}"), "model.vocab: expected at least one token");
  expect_refused(vocabulary(R"([["a",0]])"), "an object of tokens with ids, got a list");
}

TEST(TokenizerJson, ListsOfPairsMustBePairs) {
  const auto vocabulary = [](const std::string& text) {
    return tokenizer_json(R"({"type":"Unigram","vocab":)" + text + "}");
  };
  make(vocabulary(R"([["a",-1],["b",-2.5]])"));
  for (const char* bad : {"[[\"a\"]]", "[[]]", "[\"a\"]", "[1]", "[[1,\"a\"]]", "[[\"a\",\"b\"]]",
                          "[[\"a\",1,2]]", "[[[\"a\"],1]]", "[{\"a\":1}]", "[[\"a\",null]]"}) {
    expect_refused(vocabulary(bad), "t.json:1");
  }
  expect_refused(vocabulary(R"({"a":0})"), "a list of tokens with scores");
  expect_refused(vocabulary(R"([["a",-1],["a",-1]])"), "a text of its own");
  expect_refused(tokenizer_json(R"({"type":"Unigram","unk_id":7,"vocab":[["a",-1]]})"), "unk_id");
}

// Scores that serde_json reads one unit in the last place off the nearest double; found by reading and
// writing a file with tokenizers 0.23.3.
TEST(TokenizerJson, ScoresAreReadAsTheirsAre) {
  const auto spec = read_tokenizer_json(
      tokenizer_json(R"({"type":"Unigram","vocab":[["a",-12.982908554684185],["b",-12.013631564778425],
["c",-12.846008495951335],["d",-2.5],["e",-1e-3],["f",0.12345678901234567890123],["g",-3],["h",1e-320],["i",0.0]]})"),
      "", "t.json");
  ASSERT_TRUE(spec.ok());
  EXPECT_EQ(spec->scores, (std::vector<double>{-12.982908554684183, -12.013631564778423, -12.846008495951336,
                                               -2.5, -0.001, 0.12345678901234568, -3, 1e-320, 0}));
}

TEST(TokenizerJson, MergesMustBeTwoKnownTokens) {
  const auto merges = [](const std::string& text) {
    return tokenizer_json(R"({"type":"BPE","vocab":{"a":0,"b":1,"ab":2},"merges":)" + text + "}");
  };
  make(merges(R"(["a b"])"));
  make(merges(R"([["a","b"]])"));
  make(merges("[]"));
  make(merges("null"));
  for (const char* bad : {"[\"ab\"]", "[\"a b c\"]", "[\" b\"]", "[\"a \"]", "[1]", "[[\"a\"]]",
                          "[[\"a\",1]]", "[[\"a\",\"b\",\"c\"]]", "[{}]", "{}", "[[[\"a\"]]]", "5"}) {
    expect_refused(merges(bad), "t.json:1");
  }
  expect_refused(merges(R"(["a x"])"), "tokens of the vocabulary");
  expect_refused(merges(R"(["b a"])"), "tokens of the vocabulary");
}

TEST(TokenizerJson, AddedTokensMustBeSound) {
  const auto added = [](const std::string& token) {
    return tokenizer_json(R"({"type":"BPE","vocab":{"a":0,"b":3},"merges":[]})",
                          ",\"added_tokens\":[" + token + "]");
  };
  make(added(R"({"id":1,"content":"x"})"));
  make(added(R"({"id":100,"content":"x"})"));
  make(added(R"({"id":3,"content":"b"})"));
  expect_refused(added(R"({"id":1,"content":""})"), "added_tokens[0].content: expected a text");
  expect_refused(added(R"({"id":0,"content":"x"})"), "an id of its own for \"x\", got 0, which is \"a\"");
  expect_refused(added(R"({"id":1,"content":"b"})"), "a text of its own");
  expect_refused(added(R"({"id":-1,"content":"x"})"), "a whole number from 0");
  expect_refused(added(R"({"id":2147483648,"content":"x"})"), "2147483648");
  expect_refused(added(R"({"content":"x"})"), "added_tokens[0].id");
  expect_refused(added(R"({"id":1})"), "added_tokens[0].content");
  expect_refused(added(R"({"id":1,"content":"x","special":"yes"})"), "special: expected true or false");
  expect_refused(added("5"), "added_tokens[0]");
  expect_refused(added(R"({"id":1,"content":")" + std::string(5000, 'x') + "\"}"), "1 to 1024 bytes");
}

TEST(TokenizerJson, PartsMustFitTogether) {
  expect_refused(replaced(test::byte_bpe_json(), R"("ids":[6])", R"("ids":[600])"),
                 "a whole number from 0 to 9");
  expect_refused(replaced(test::byte_bpe_json(), R"({"Sequence":{"id":"A","type_id":0}},)", ""),
                 "the text once");
  expect_refused(replaced(test::byte_bpe_json(), R"("decoder":{"type":"ByteLevel")",
                          R"("decoder":{"type":"Metaspace","replacement":"▁")"),
                 "decoder: expected ByteLevel, as the text is encoded");
  expect_refused(
      replaced(test::unigram_json(), R"("decoder":{"type":"Metaspace")", R"("decoder":{"type":"ByteLevel")"),
      "decoder: expected no ByteLevel");
  expect_refused(replaced(test::word_piece_json(), R"("unk_token":"[UNK]")", R"("unk_token":"[NO]")"),
                 "unk_token");
  expect_refused(replaced(test::word_piece_json(), R"("unk_token":"[UNK]",)", ""), "unk_token");
  expect_refused(replaced(test::word_piece_json(), R"("cls":["[CLS]",1])", R"("cls":["[CLS]",99])"),
                 "cls[1]");
  expect_refused(replaced(test::byte_bpe_json(), R"("dropout":null)", R"("dropout":0.1)"), "dropout");
  expect_refused(replaced(test::character_bpe_json(), R"({"type":"Strip","content":" ","start":1)",
                          R"({"type":"Strip","content":" ","start":3)"),
                 "at most one space");
  expect_refused(replaced(test::unigram_json(), R"("replacement":"▁")", R"("replacement":"▁▁")"),
                 "one character");
  expect_refused(replaced(test::word_level_json(), R"({"Regex":"\\d+|x"})", R"({"String":""})"),
                 "something to look for");
  expect_refused(replaced(test::word_level_json(), R"("behavior":"Removed")", R"("behavior":"Gone")"),
                 "MergedWithNext");
}

TEST(TokenizerJson, ByteTokensThatAreNoneAreOrdinary) {
  const std::string json = tokenizer_json(
      R"({"type":"BPE","byte_fallback":true,"merges":[],"vocab":{"<0x-1>":0,"<0xZZ>":1,"<0x100>":2,"<0x41>":3}})");
  const auto tokenizer = make(json);
  EXPECT_EQ(tokenizer->encode("A").value(), (Ids{3}));
  EXPECT_EQ(tokenizer->decode(Ids{0, 1, 2, 3}).value(), "<0x-1><0xZZ><0x100>A");
}

TEST(TokenizerJson, AnUnknownTokenThatIsNotThereIsNone) {
  const std::string json = replaced(test::byte_bpe_json(), R"("unk_token":null)", R"("unk_token":"<unk>")");
  EXPECT_EQ(make(json)->encode("axc", {.add_special = false}).value(), (Ids{0, 5}));
}

TEST(TokenizerJson, DepthAndHostilePatternsEndInErrors) {
  const std::string deep = ",\"normalizer\":" + std::string(100'000, '[');
  expect_refused(tokenizer_json("{}", deep), "nested at most 64");
  const auto pattern = [](const std::string& regex) {
    return tokenizer_json(
        R"({"type":"WordLevel","unk_token":"u","vocab":{"u":0}})",
        R"(,"pre_tokenizer":{"type":"Split","behavior":"Isolated","pattern":{"Regex":")" + regex + "\"}}");
  };
  refusal(pattern("("));
  refusal(pattern(std::string(1 << 20, 'a')));
  const auto tokenizer = make(pattern("(a+)+[bc]"));
  const auto ids = tokenizer->encode(std::string(65536, 'a'));
  ASSERT_FALSE(ids.ok());
  EXPECT_NE(ids.status().message().find("(a+)+[bc]"), std::string::npos) << ids.status().message();
}

// --- Changed files -----------------------------------------------------------------------------------

/// A random change of the kind that a broken or hostile file might hold.
std::string mutate(std::string text, std::mt19937_64& random) {
  const auto below = [&](size_t n) { return static_cast<size_t>(random() % std::max<size_t>(n, 1)); };
  static const std::string kTokens[] = {"null",
                                        "true",
                                        "-1",
                                        "1e9",
                                        "\"\"",
                                        "[]",
                                        "{}",
                                        ",",
                                        ":",
                                        "]",
                                        "}",
                                        "\"",
                                        "\"type\":\"Sequence\"",
                                        "2147483648",
                                        "\\u0000",
                                        "\xFF",
                                        "▁",
                                        "<0x-1>"};
  for (size_t changes = 1 + below(3); changes > 0 && !text.empty(); --changes) {
    const size_t at = below(text.size());
    switch (below(6)) {
      case 0: text[at] = static_cast<char>(random()); break;
      case 1: text.erase(at, 1 + below(8)); break;
      case 2: text.insert(at, kTokens[below(std::size(kTokens))]); break;
      case 3: text.insert(at, text.substr(below(text.size()), below(60))); break;
      case 4: text.resize(at); break;
      default:
        text.replace(at, std::min<size_t>(text.size() - at, below(6)), kTokens[below(std::size(kTokens))]);
    }
  }
  return text;
}

TEST(TokenizerJson, TenThousandChangedFilesDoNoHarm) {
  const uint64_t seed = 20260502;
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  const std::string samples[] = {test::byte_bpe_json(), test::unigram_json(), test::word_piece_json(),
                                 test::character_bpe_json(), test::word_level_json()};
  int accepted = 0;
  for (int i = 0; i < 10'000; ++i) {
    const std::string json = mutate(samples[static_cast<size_t>(i) % std::size(samples)], random);
    const auto tokenizer = open(json);
    if (!tokenizer.ok()) {
      const ErrorParts& parts = tokenizer.status().parts();
      ASSERT_EQ(tokenizer.status().code(), StatusCode::kBadInput) << json;
      ASSERT_TRUE(!parts.where.empty() && !parts.expected.empty() && !parts.got.empty() &&
                  !parts.hint.empty())
          << tokenizer.status().message();
      ASSERT_TRUE(utf8_valid(tokenizer.status().message()));
      continue;
    }
    ++accepted;
    const auto ids = (*tokenizer)->encode("ab  a unable é\n<|end|> one12");
    if (!ids.ok()) continue;
    for (const int32_t id : *ids) ASSERT_TRUE(id >= 0 && id < (*tokenizer)->size()) << json;
    ASSERT_TRUE((*tokenizer)->decode(*ids).ok()) << json;
  }
  EXPECT_GT(accepted, 300) << "too few to prove anything";
  EXPECT_LT(accepted, 9'700);
}

}  // namespace
}  // namespace brisk::text
