"""`hornbook evaluate judge`: another model says how good answers are."""

from pathlib import Path
from typing import Annotated

import typer

Answers = Annotated[
    list[Path], typer.Argument(metavar="ANSWERS...", help="rows of questions and answers, a file a model")
]


def judge(
    answers: Answers,
    by: Annotated[str, typer.Option(help="URL#model of an endpoint in OpenAI's form, or a model folder")],
    judge: Annotated[
        str, typer.Option(help="score, prometheus, mt_bench, pairwise, alpaca, truth, each with -zh; or a file")
    ] = "score",
    questions: Annotated[Path | None, typer.Option(help="rows of questions, by id, if the answers have none")] = None,
    references: Annotated[Path | None, typer.Option(help="rows of right answers, by id")] = None,
    ratings: Annotated[Path | None, typer.Option(help="what people said: does the judge agree with them?")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="only the first so many answers")] = None,
    out: Annotated[Path, typer.Option(help="where scores, the judge's words and the report go")] = Path("evaluations"),
    key: Annotated[Path | None, typer.Option(help="a file that holds the endpoint's key")] = None,
    parallel: Annotated[int, typer.Option(min=1, help="questions that an endpoint is asked at a time")] = 8,
    seconds: Annotated[float, typer.Option(min=0.1, help="that an endpoint may take for an answer")] = 120.0,
    attempts: Annotated[int, typer.Option(min=1, help="at every question, if the endpoint is down or slow")] = 5,
) -> None:
    """Scores by a judge: 0 to 100, by a rubric, or which of two models is better; what is judged is not judged again.

    Example: hornbook evaluate judge answers/demo.jsonl --by http://localhost:11434/v1#llama3.2 --judge prometheus
    """
    from hornbook.judged import Asking, Wish
    from hornbook.judged import judge as run

    asking = Asking(by=by, key=key, parallel=parallel, seconds=seconds, attempts=attempts)
    wish = Wish(asking=asking, judge=judge, questions=questions, references=references, ratings=ratings, limit=limit)
    print(run(answers, wish, out))
