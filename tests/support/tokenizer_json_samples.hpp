// Small tokenizer.json files that use every kind of part, for tests and as the fuzzer's seeds.
#pragma once

#include <string>

namespace brisk::test {

inline std::string tokenizer_json(const std::string& model, const std::string& more = "") {
  return "{\"version\":\"1.0\",\"truncation\":null,\"padding\":null" + more + ",\"model\":" + model + "}";
}

/// Byte-level BPE with added tokens, a template and a ByteLevel decoder.
inline std::string byte_bpe_json() {
  return tokenizer_json(
      R"({"type":"BPE","dropout":null,"unk_token":null,"continuing_subword_prefix":null,"end_of_word_suffix":null,
"fuse_unk":false,"byte_fallback":false,"ignore_merges":false,
"vocab":{"a":0,"b":1,"ab":2,"Ġ":3,"Ġab":4,"c":5,"<|end|>":6},"merges":["a b",["Ġ","ab"]]})",
      R"(,"added_tokens":[{"id":6,"content":"<|end|>","single_word":false,"lstrip":false,"rstrip":false,
"normalized":false,"special":true},{"id":9,"content":"<u>","special":false,"normalized":true,"lstrip":true}],
"normalizer":{"type":"NFC"},"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,
"use_regex":true},"post_processor":{"type":"TemplateProcessing","single":[{"Sequence":{"id":"A","type_id":0}},
{"SpecialToken":{"id":"<|end|>","type_id":0}}],"pair":[],"special_tokens":{"<|end|>":{"id":"<|end|>","ids":[6],
"tokens":["<|end|>"]}}},"decoder":{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true,"use_regex":true})");
}

/// Unigram with Metaspace.
inline std::string unigram_json() {
  return tokenizer_json(
      R"({"type":"Unigram","unk_id":0,"byte_fallback":false,"vocab":[["<unk>",0.0],["▁a",-1.5],["b",-2],["▁",-3]]})",
      R"(,"added_tokens":[{"id":0,"content":"<unk>","special":true}],"normalizer":{"type":"Sequence","normalizers":
[{"type":"Nmt"},{"type":"NFKC"},{"type":"Replace","pattern":{"Regex":" {2,}"},"content":" "}]},
"pre_tokenizer":{"type":"Metaspace","replacement":"▁","prepend_scheme":"always","split":true},
"decoder":{"type":"Metaspace","replacement":"▁","prepend_scheme":"always","split":true})");
}

/// WordPiece as BERT has it.
inline std::string word_piece_json() {
  return tokenizer_json(
      R"({"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"##","max_input_chars_per_word":100,
"vocab":{"[UNK]":0,"[CLS]":1,"[SEP]":2,"un":3,"##able":4,".":5}})",
      R"(,"normalizer":{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,"strip_accents":null,
"lowercase":true},"pre_tokenizer":{"type":"BertPreTokenizer"},"post_processor":{"type":"BertProcessing",
"sep":["[SEP]",2],"cls":["[CLS]",1]},"decoder":{"type":"WordPiece","prefix":"##","cleanup":true})");
}

/// BPE over characters with byte fallback, as Llama 2.
inline std::string character_bpe_json() {
  return tokenizer_json(
      R"({"type":"BPE","unk_token":"<unk>","fuse_unk":true,"byte_fallback":true,
"vocab":{"<unk>":0,"<s>":1,"</s>":2,"<0x0A>":3,"▁":4,"a":5,"▁a":6},"merges":["▁ a"]})",
      R"(,"added_tokens":[{"id":0,"content":"<unk>","special":true},{"id":1,"content":"<s>","special":true}],
"normalizer":{"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"▁"},{"type":"Replace",
"pattern":{"String":" "},"content":"▁"}]},"pre_tokenizer":null,"decoder":{"type":"Sequence","decoders":[
{"type":"Replace","pattern":{"String":"▁"},"content":" "},{"type":"ByteFallback"},{"type":"Fuse"},
{"type":"Strip","content":" ","start":1,"stop":0}]})");
}

/// Words only, cut by a pattern.
inline std::string word_level_json() {
  return tokenizer_json(
      R"({"type":"WordLevel","unk_token":"?","vocab":{"?":0,"one":1,"two":2}})",
      R"(,"pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"\\d+|x"},
"behavior":"Removed","invert":false},{"type":"WhitespaceSplit"},{"type":"Punctuation","behavior":"Isolated"}]})");
}

}  // namespace brisk::test
