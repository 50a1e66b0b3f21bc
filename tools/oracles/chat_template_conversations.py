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
}
for conversation in CONVERSATIONS.values():
    conversation.setdefault("add_generation_prompt", False)
    conversation.setdefault("tools", None)
    conversation.setdefault("documents", None)
    conversation.update(bos_token="<s>", eos_token="</s>", pad_token="<pad>", unk_token="<unk>")
