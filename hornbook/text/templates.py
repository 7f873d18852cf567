"""Chat templates of our own, by name: Jinja in the Hugging Face sense, with marks around what the assistant says.

What each renders is the text its makers published, to the letter: Alpaca (Taori et al. 2023, PROMPT_DICT of its
train.py), the book's form of it and of Phi-3 (Raschka 2024, chapter 7 and its exercise 7.1), Phi-3 (Abdin et al. 2024),
ChatML (OpenAI 2023), Llama 3 (Dubey et al. 2024). Those that need no token of their own can be said by any tokenizer.
A system message stands where Alpaca's opening sentence would. Leaves out tools.
"""

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True)
class Template:
    """A template and what it asks of a tokenizer."""

    text: str
    tokens: tuple[str, ...] = ()  # special tokens that it writes, beside the one that ends a text


TASK = "Below is an instruction that describes a task"
CONTEXT = ", paired with an input that provides further context"
WRITE = ". Write a response that appropriately completes the request."


def _instructions(opening: str, response: str) -> Template:
    """The form of Alpaca: `opening` is what Jinja writes first, `response` what the answer stands behind."""
    return Template(
        f"""{{%- for message in messages %}}
{{%- if message['role'] == 'assistant' %}}
{{{{- '{response}' }}}}
{{%- generation %}}{{{{ message['content'] + eos_token }}}}{{% endgeneration %}}
{{{{- '' if loop.last else '\\n\\n' }}}}
{{%- elif message['role'] == 'user' %}}
{opening}
{{{{- '### Instruction:\\n' + message['content'] + '\\n\\n' }}}}
{{%- if message['input'] %}}
{{{{- '### Input:\\n' + message['input'] + '\\n\\n' }}}}
{{%- endif %}}
{{%- else %}}
{{{{- message['content'] + '\\n\\n' }}}}
{{%- endif %}}
{{%- endfor %}}
{{%- if add_generation_prompt %}}
{{{{- '{response}' }}}}
{{%- endif %}}
"""
    )


TEMPLATES = {
    "alpaca": _instructions(
        f"""{{%- if loop.first %}}
{{{{- '{TASK}' + ('{CONTEXT}' if message['input'] else '') + '{WRITE}\\n\\n' }}}}
{{%- endif %}}""",
        "### Response:",
    ),
    "book": _instructions(f"{{{{- '{TASK}{WRITE}\\n\\n' if loop.first else '' }}}}", "### Response:\\n"),
    "book_phi3": Template("""{%- for message in messages %}
{%- if message['role'] == 'assistant' %}
{{- '<|assistant|>:\\n' }}
{%- generation %}{{ message['content'] + eos_token }}{% endgeneration %}
{{- '' if loop.last else '\\n' }}
{%- elif message['role'] == 'user' %}
{{- '<|user|>\\n' + message['content'] + ('\\n' + message['input'] if message['input'] else '') + '\\n' }}
{%- else %}
{{- '<|system|>\\n' + message['content'] + '\\n' }}
{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
{{- '<|assistant|>:\\n' }}
{%- endif %}
"""),
    "plain": _instructions("", "### Response:\\n"),
    "chatml": Template(
        """{%- for message in messages %}
{{- '<|im_start|>' + message['role'] + '\\n' }}
{%- if message['role'] == 'assistant' %}
{%- generation %}{{ message['content'] + '<|im_end|>' }}{% endgeneration %}
{%- else %}
{{- message['content'] + '<|im_end|>' }}
{%- endif %}
{{- '\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
{{- '<|im_start|>assistant\\n' }}
{%- endif %}
""",
        ("<|im_start|>", "<|im_end|>"),
    ),
    "phi3": Template(
        """{%- for message in messages %}
{{- '<|' + message['role'] + '|>\\n' }}
{%- if message['role'] == 'assistant' %}
{%- generation %}{{ message['content'] + '<|end|>' }}{% endgeneration %}
{%- else %}
{{- message['content'] + '<|end|>' }}
{%- endif %}
{{- '\\n' }}
{%- endfor %}
{{- '<|assistant|>\\n' if add_generation_prompt else eos_token }}
""",
        ("<|system|>", "<|user|>", "<|assistant|>", "<|end|>"),
    ),
    "llama3": Template(
        """{%- for message in messages %}
{{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' }}
{%- if message['role'] == 'assistant' %}
{%- generation %}{{ message['content'] | trim + '<|eot_id|>' }}{% endgeneration %}
{%- else %}
{{- message['content'] | trim + '<|eot_id|>' }}
{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
{{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif %}
""",
        ("<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"),
    ),
}


def sayable(special: Collection[str]) -> list[str]:
    """The names of the templates whose tokens are all among `special`.

    >>> sayable(["<|endoftext|>"])
    ['alpaca', 'book', 'book_phi3', 'plain']
    """
    return [name for name, template in TEMPLATES.items() if all(token in special for token in template.tokens)]
