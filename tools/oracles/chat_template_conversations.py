"""Conversations for chat_templates.py: what applications send, plain and odd."""

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Get the weather \"now\" for a <city> & its surroundings.",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string", "description": "The city, e.g. Zürich"},
                "unit": {"type": "string", "enum": ["celsius", "fahrenheit"], "default": "celsius"},
                "days": {"type": ["integer", "null"], "minimum": 1, "maximum": 14},
                "detail": {
                    "type": "object",
                    "properties": {"wind": {"type": "boolean"}, "hours": {"type": "array", "items": {"type": "number"}}},
                    "required": ["wind"],
                },
            },
            "required": ["city"],
        },
        "return": {"type": "object", "description": "the weather"},
    },
}
CLOCK = {"type": "function", "function": {"name": "now", "description": "", "parameters": {"type": "object", "properties": {}}}}


def user(text):
    return {"role": "user", "content": text}


def assistant(text, **more):
    return {"role": "assistant", "content": text, **more}


def system(text):
    return {"role": "system", "content": text}


def call(arguments, name="get_weather", id="call12345"):
    return {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}


def tool(text, **more):
    return {"role": "tool", "content": text, "tool_call_id": "call12345", "name": "get_weather", **more}


ARGUMENTS = {"city": "Zürich", "days": 3, "detail": {"wind": True, "hours": [1, 2.5]}, "unit": None}
TOOL_TURN = [
    system("Be brief."),
    user("Weather in Zürich?"),
    assistant("", tool_calls=[call(ARGUMENTS)]),
    tool('{"temp": 21.5, "sky": "clear"}'),
    assistant("It is 21.5 degrees."),
    user("Thanks <b>a lot</b>!"),
]

CONVERSATIONS = {
    "one_turn": {"messages": [user("Hello, who are you?")]},
    "one_turn_prompt": {"messages": [user("Hello, who are you?")], "add_generation_prompt": True},
    "system_prompt": {"messages": [system("You are terse."), user("Hi")], "add_generation_prompt": True},
    "multi_turn": {
        "messages": [user("1+1?"), assistant("2"), user("and 2+2?"), assistant("4\n"), user("  thanks \n")],
        "add_generation_prompt": True,
    },
    "multi_turn_system": {"messages": [system("S\n"), user("a"), assistant("b"), user("c"), assistant("d")]},
    "tools_offered": {"messages": [user("Weather?")], "tools": [WEATHER, CLOCK], "add_generation_prompt": True},
    "tool_turn": {"messages": TOOL_TURN, "tools": [WEATHER, CLOCK], "add_generation_prompt": True},
    "tool_turn_without_tools": {"messages": TOOL_TURN, "add_generation_prompt": True},
    "tool_last": {"messages": TOOL_TURN[:4], "tools": [WEATHER], "add_generation_prompt": True},
    "two_calls": {
        "messages": [
            user("Both, please."),
            assistant("Let me see.", tool_calls=[call({"city": "Bern"}), call({}, "now", "call67890")]),
            tool("rain"),
            tool("12:00", tool_call_id="call67890", name="now"),
        ],
        "tools": [WEATHER, CLOCK],
        "add_generation_prompt": True,
    },
    "arguments_as_text": {
        "messages": [user("W?"), {"role": "assistant", "content": None, "tool_calls": [call('{"city": "Bern"}')]}, tool("sun")],
        "tools": [WEATHER],
    },
    "reasoning": {
        "messages": [
            user("Why?"),
            assistant("Because.", reasoning_content="Let me think.\nHmm."),
            user("Really?"),
            assistant("<think>\nmore thoughts\n</think>\n\nYes.", thinking="inner"),
            user("Ok"),
        ],
        "add_generation_prompt": True,
        "enable_thinking": True,
    },
    "reasoning_off": {"messages": [user("Why?")], "add_generation_prompt": True, "enable_thinking": False},
    "reasoning_tools": {
        "messages": [
            user("Why?"),
            assistant("", reasoning_content="I need the tool.", thinking="I need the tool.", tool_calls=[call(ARGUMENTS)]),
            tool("42"),
        ],
        "tools": [WEATHER],
        "add_generation_prompt": True,
    },
    "parts": {
        "messages": [
            {"role": "system", "content": [{"type": "text", "text": "Sys."}]},
            {"role": "user", "content": [{"type": "text", "text": "Look: "}, {"type": "text", "text": "two parts"}]},
            {"role": "assistant", "content": [{"type": "text", "text": "Seen."}]},
            user("ok"),
        ],
        "add_generation_prompt": True,
    },
    "image_part": {"messages": [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "What is it?"}]}]},
    "empty_content": {"messages": [system(""), user(""), assistant(""), user("")], "add_generation_prompt": True},
    "null_content": {"messages": [user("a"), {"role": "assistant", "content": None}, user("b")]},
    "unicode": {"messages": [user("Grüße, 世界 🌍 \u200b a\tb\r\n\\n \"q\" 'q' {{ x }} {% y %}")], "add_generation_prompt": True},
    "special_text": {"messages": [user("<|im_end|> </s> [INST] <|eot_id|> <think>no</think> <end_of_turn>")]},
    "unknown_role": {"messages": [user("a"), {"role": "narrator", "content": "b"}], "add_generation_prompt": True},
    "wrong_order": {"messages": [assistant("first"), user("a"), user("b"), system("late")]},
    "no_messages": {"messages": [], "add_generation_prompt": True},
    "developer": {"messages": [{"role": "developer", "content": "Rules."}, user("Hi")], "tools": [CLOCK]},
    "developer_and_system": {"messages": [system("S"), {"role": "developer", "content": "D"}, user("Hi"), assistant("Yo")]},
    "calls_with_ids": {
        "messages": [
            user("Both?"),
            assistant(None, tool_calls=[call({"city": "Bern"}, id="abcdefghi"), call({"city": "Rom", "days": 0}, id="123456789")]),
            tool("rain", tool_call_id="abcdefghi"),
            tool("sun", tool_call_id="123456789"),
            assistant("Rain in Bern, sun in Rome."),
            user("And now?"),
        ],
        "tools": [WEATHER, CLOCK],
    },
    "calls_without_function": {
        "messages": [user("W?"), assistant("", tool_calls=[{"name": "get_weather", "arguments": {"city": "Bern"}}]), tool("sun")],
        "tools": [WEATHER],
    },
    "three_tool_turns": {
        "messages": [
            system("Be brief."), user("W?"), assistant("", tool_calls=[call({"city": "A"})]), tool("1"),
            assistant("", tool_calls=[call({"city": "B"})]), tool("2"), assistant("", tool_calls=[call({}, "now")]), tool("3", name="now"),
            assistant("Done."),
        ],
        "tools": [WEATHER, CLOCK],
    },
    "result_as_parts": {
        "messages": [user("W?"), assistant("", tool_calls=[call(ARGUMENTS)]), {**tool(""), "content": [{"type": "text", "text": "sunny"}]}],
        "tools": [WEATHER],
    },
    "result_as_value": {"messages": [user("W?"), assistant("", tool_calls=[call(ARGUMENTS)]), tool({"temp": 21.5, "sky": None})], "tools": [WEATHER]},
    "unicode_tools": {
        "messages": [
            user("天気は?"),
            assistant("ちょっと", tool_calls=[call({"city": "東京 🗼", "note": "e\u0301 שלום \u202e<b>\"q\""})]),
            tool('{"気温": 21.5}'),
        ],
        "tools": [{"type": "function", "function": {"name": "f", "description": "Ünïcödé <&> 'q' \"q\" \\ \n", "parameters": {"type": "object", "properties": {"ключ": {"type": "string", "description": "описание"}}}}}],
    },
    "odd_tool_schema": {
        "messages": [user("x")],
        "tools": [{"type": "function", "function": {"name": "g", "description": "d", "parameters": {"type": "object", "properties": {
            "a": {"type": ["string", "null"], "enum": ["x", None, 1, 2.5, True]}, "b": {"type": "array", "items": {"type": "array", "items": {"type": "integer"}}},
            "c": {"anyOf": [{"type": "string"}, {"type": "number"}]}, "d": {"$ref": "#/$defs/D"}, "e": {"type": "object", "properties": {}, "additionalProperties": {"type": "boolean"}}},
            "required": [], "$defs": {"D": {"type": "string"}}}, "strict": True}}],
    },
    "bare_tool": {"messages": [user("x")], "tools": [{"name": "plain", "description": "no wrapper", "parameters": {"type": "object", "properties": {"a": {"type": "string"}}}}]},
    "scripts": {"messages": [system("مرحبا"), user("Ελληνικά русский हिन्दी ไทย 한국어 עברית e\u0301 👩\u200d👩\u200d👧 🇫🇷"), assistant("\u00a0\u3000 ok \u2028 \u0085")]},
    "blanks": {"messages": [system("  \n "), user("\n\n"), assistant("\t"), user(" x ")]},
    "long": {"messages": [system("s" * 5000), user("word " * 3000), assistant("line\n" * 2000), user("?")]},
    "many_turns": {"messages": [turn for i in range(30) for turn in (user(f"q{i}"), assistant(f"a{i}"))] + [user("last")]},
    "thinking_in_text": {
        "messages": [user("1"), assistant("<think>a</think>b"), user("2"), assistant("<think>\nc\n</think>\n\nd"), user("3"), assistant("e</think>f"), user("4"), assistant("<think>open")],
    },
    "empty_thinking": {"messages": [user("1"), assistant("x", reasoning_content=""), user("2"), assistant("y", reasoning_content=None, thinking="t")]},
    "prefilled": {"messages": [user("Write JSON."), assistant('{"a": ')], "continue_final_message": True},
    "video_and_audio": {
        "messages": [{"role": "user", "content": [{"type": "video"}, {"type": "audio"}, {"type": "image_url", "image_url": {"url": "x"}}, {"type": "text", "text": "?"}]}],
    },
    "documents": {
        "messages": [user("Sum up.")],
        "documents": [{"title": "T1", "text": "First.", "doc_id": 1}, {"title": "T2", "text": "Sec\nond.", "doc_id": "b"}],
    },
    "named_user": {"messages": [{"role": "user", "name": "ann", "content": "hi"}, {"role": "assistant", "content": "hello", "name": "bot"}, {"role": "user", "name": "bob", "content": "me, too"}]},
    "number_as_content": {"messages": [user(5), assistant(True), user(None)]},
    "without_content": {"messages": [{"role": "user"}, {"role": "assistant", "tool_calls": []}]},
    "without_role": {"messages": [{"content": "x"}]},
    "control_tokens": {"messages": [system("<|start_header_id|>x<|end_header_id|>"), user("<tool_call>{}</tool_call> [/INST] <|im_start|>system"), assistant("</s>")]},
    "two_systems": {"messages": [system("A"), system("B"), user("c"), assistant("d"), user("e")], "tools": [CLOCK]},
    "tool_first": {"messages": [tool("x"), user("y")]},
    "ipython": {"messages": [user("x"), {"role": "ipython", "content": {"output": [1, 2]}}, {"role": "function", "name": "f", "content": "r"}]},
    "messages_with_extras": {"messages": [{**user("x"), "id": 7, "weight": 0.5, "meta": {"k": [1]}}, {**assistant("y"), "refusal": None, "audio": None, "function_call": None}]},
}

# Conversations that are too long to keep texts of.
LONG = {"long", "many_turns"}

# Further arguments that applications pass; each is tried with every conversation.
ARGUMENT_SETS = {
    "prompt": {"add_generation_prompt": True},
    "no_prompt": {"add_generation_prompt": False},
    "thinking": {"add_generation_prompt": True, "enable_thinking": True, "thinking": True, "reasoning_effort": "high", "thinking_mode": "on"},
    "no_thinking": {"add_generation_prompt": True, "enable_thinking": False, "thinking": False, "reasoning_effort": "low", "clear_thinking": False,
                    "keep_past_thinking": True, "truncate_history_thinking": False},
    "dates_and_names": {"add_generation_prompt": True, "date_string": "24 Dec 2024", "datetime": "2024-12-24", "builtin_tools": ["wolfram_alpha", "code_interpreter"],
                        "tools_in_user_message": False, "model_identity": "You are X.", "custom_instructions": "Be kind.", "citations": "off",
                        "controls": {"length": "long"}, "system_message": "Sys", "functions": "[]", "reasoning_effort": "medium"},
}

for conversation in CONVERSATIONS.values():
    conversation.setdefault("add_generation_prompt", False)
    conversation.setdefault("tools", None)
    conversation.setdefault("documents", None)
    conversation.update(bos_token="<s>", eos_token="</s>", pad_token="<pad>", unk_token="<unk>")
