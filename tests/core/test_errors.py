"""Errors for people are values errors, and a stop says how to go on."""

import signal

from hornbook.core.errors import Interrupted, RecipeError, UserError


def test_a_recipe_error_is_a_user_error_is_a_value_error():
    assert issubclass(RecipeError, UserError)
    assert issubclass(UserError, ValueError)


def test_a_stop_has_the_exit_code_that_shells_expect():
    stopped = Interrupted("SIGTERM", signal.SIGTERM, "saved at step 7")
    assert stopped.exit_code == 143
    assert str(stopped) == "stopped by SIGTERM and saved at step 7; the same command goes on from there"
