"""The training loop: one for every stage, and the same bytes whether or not it was killed on the way.

A step reads rows, sums the loss over their trained tokens, divides the gradient by the *global* number of those tokens,
clips it and moves the weights. Everything random is a function of (seed, step) and everything else that matters is in
the checkpoint, so a run that is killed and started again ends like one left alone. What the loss is, where rows come
from and who listens are given from outside.
"""

import signal
import time
from collections.abc import Callable

import torch

from hornbook.core.errors import Interrupted, UserError
from hornbook.core.run import Log, Row, Run
from hornbook.core.stop import Stop
from hornbook.data.batches import Batch, Source
from hornbook.train import checkpoint
from hornbook.train.config import Train
from hornbook.train.job import Job, Listener, Progress, bits_per_byte, few, horizon, micro_batches, rows_per_step
from hornbook.train.looks import Looks
from hornbook.train.measure import Measured, measure, nothing
from hornbook.train.parallel import Ranks, Work
from hornbook.train.precision import Precision
from hornbook.train.saver import Saver


class Trainer:
    """One stage of training in a run folder."""

    def __init__(
        self,
        config: Train,
        job: Job,
        run: Run,
        *,
        listener: Listener,
        ranks: Ranks,
        precision: str = "fp32",
        clock: Callable[[], float] = time.monotonic,
    ):
        self.config, self.job, self.run, self.listener, self.ranks = config, job, run, listener, ranks
        self.clock = clock
        self.device = next(job.model.parameters()).device
        self.optimizer = config.optimizer.build(job.model)
        self.saver = Saver(run.checkpoints, ranks, keep=config.keep)
        self.precision = Precision(precision, self.device.type)
        self.progress = Progress()
        self.metrics, self.samples, self.events = Log(run.metrics), Log(run.samples), Log(run.events)
        self.looks = Looks(config, job, self.metrics, self.samples, listener)
        self.rows_per_step = rows_per_step(config, job)
        self.horizon = horizon(config, job)
        self.pace = self.lap = 0.0  # seconds of the step before this one, and of the last step
        self.began = self.clock()

    def fit(self) -> Progress:
        """Train to the end, from the newest whole checkpoint if there is one."""
        self._resume()
        with Stop() as stop:
            while not self.horizon.done(self.progress.step, self.progress.seconds, self.pace):
                if self._step(stop):
                    self._now_and_then()
                if stop.asked:
                    self._save()
                    self.saver.wait()
                    raise Interrupted(
                        signal.Signals(stop.signal).name, stop.signal, f"saved at step {self.progress.step}"
                    )
            if self.progress.step % self.config.save_every:
                self._save()
            self.saver.wait()
        return self.progress

    def _step(self, stop: Stop) -> bool:
        """One optimizer step; False if the guard refused it and the run went back."""
        rows = self.config.ramp.rows(self.progress.step) if self.config.ramp else self.rows_per_step
        first = self.progress.watch.first_free(self.progress.row, rows)
        began = self.clock()
        found = self._gradient(first, rows)
        self.ranks.sum_gradients(self.job.model.parameters())
        clock = (
            (self.elapsed(), self.lap) if self.ranks.first else (0.0, 0.0)
        )  # one clock for all, or ranks drift apart
        elapsed, self.pace, asked = self.ranks.sum(*clock, float(stop.asked))
        found, stop.asked = found.over(self.ranks.add_up), stop.asked or asked > 0
        scale = 1.0 / max(found.count, 1.0) / self.precision.scale
        norm = self.ranks.clip(self.job.model.parameters(), self.config.clip, scale=scale)
        if fault := self._fault(found.loss, norm):
            self._roll_back(fault, first, rows)
            return False
        lr = self._move(norm)
        self.lap = self.clock() - began
        self.progress.step += 1
        self.progress.row = first + rows
        self.progress.tokens += rows * self.job.source.length
        self.progress.seconds = self.elapsed() if self.ranks.world == 1 else elapsed
        self._record({"loss": found.loss, "lr": lr, "grad_norm": norm, **found.shares}, rows)
        return True

    def _gradient(self, first: int, rows: int) -> Measured:
        """Accumulate the gradient of the summed loss over this process's rows; the sum and its trained tokens."""
        torch.manual_seed(hash((self.job.seed, self.progress.step, self.ranks.noise)) % 2**63)  # dropout
        self.job.model.train()
        found, total = nothing(self.job.objective), torch.zeros((), device=self.device)
        length = self._length()
        batches = self._batches(self.job.source, first, rows)
        if length < self.job.source.length:
            batches = [batch.cut(length) for batch in batches]
        work = Work(self.job.objective, self.job.model, self.precision.context, self.precision.scale)
        for loss in self.ranks.backward(work, batches):
            total += loss.sum.detach()
            found.count += loss.count
            found.add(loss.shares)
        found.total = float(total)
        return found

    def _batches(self, source: Source, first: int, rows: int) -> list[Batch]:
        """This process's share of some rows, as much at once as memory allows."""
        batches = micro_batches(source, self.ranks.share(first, rows), self.config.micro_batch)
        return [batch.to(self.device) for batch in self.ranks.level(batches, lambda: source.batch(first, 1))]

    def _length(self) -> int:
        """Tokens of a row now."""
        full = self.job.source.length
        if self.config.lengths is None:
            return full
        return self.config.lengths.length(self.horizon.progress(self.progress.step, self.progress.seconds), full)

    def _fault(self, loss: float, norm: float) -> str | None:
        guard = self.config.guard
        if guard is None or self.precision.may_overflow(norm):
            return None  # an overflow is the scale's business
        return self.progress.watch.fault(guard, loss, norm)

    def _move(self, norm: float) -> float:
        """Step the optimizer at the schedule's rate for the middle of this step; the rate."""
        middle = self.horizon.progress(self.progress.step + 0.5, self.progress.seconds + self.pace / 2)
        self.optimizer.set_lr(self.config.schedule.multiplier(middle))
        if not self.precision.overflowed(norm):
            self.optimizer.step()
        self.optimizer.zero_grad()
        return self.optimizer.lr

    def _record(self, found: Row, rows: int) -> None:
        progress, speed = self.progress, rows * self.job.source.length / self.lap
        if self.config.guard is not None:
            progress.watch.remember(self.config.guard, found["loss"])
        row: Row = {"step": progress.step, **found, "tokens": progress.tokens}
        row |= {"seconds": round(progress.seconds, 3), "tokens_per_second": round(speed, 1)}
        if self.job.bytes_per_token:
            row["bits_per_byte"] = bits_per_byte(found["loss"], self.job.bytes_per_token)
        if self.job.peak_flops:
            row["mfu"] = round(speed * self.job.flops_per_token / self.job.peak_flops, 4)
        if self.ranks.first:
            self.metrics.append(row)
            total = self.horizon.total_steps(progress.step, progress.seconds)
            self.listener.step(row, total, self.horizon.seconds_left(progress.step, progress.seconds))

    def _now_and_then(self) -> None:
        """Validate, look and save when it is time; saving comes last, so a checkpoint's rows are all written."""
        step, config = self.progress.step, self.config
        last = self.horizon.done(step, self.progress.seconds, self.pace)
        if self.job.validation is not None and (step % config.validate_every == 0 or last):
            self._validate(self.job.validation)
        if self.ranks.first:
            at: Row = {"step": step, "tokens": self.progress.tokens, "seconds": round(self.elapsed(), 3)}
            self.looks(at, last=last)
        if step % config.save_every == 0:
            self._save()

    def _validate(self, source: Source) -> None:
        """The mean loss over the first `validation_rows` held-out rows."""
        rows = min(self.config.validation_rows, source.rows_per_epoch)
        batches = self._batches(source, 0, rows)
        found = measure(self.job.model, self.job.objective, batches, self.precision.context).over(self.ranks.add_up)
        self.ranks.rest(self.job.model)
        row: Row = {"step": self.progress.step, "tokens": self.progress.tokens}
        row |= {"validation_loss": found.loss, "seconds": round(self.elapsed(), 3)}
        if self.job.bytes_per_token:
            row["validation_bits_per_byte"] = bits_per_byte(found.loss, self.job.bytes_per_token)
        row |= {f"validation_{name}": share for name, share in found.shares.items()}
        if self.ranks.first:
            self.metrics.append(row)
            self.listener.validated(row)

    def elapsed(self) -> float:
        """Seconds of wall-clock time in all sittings."""
        return self.clock() - self.began

    def _save(self) -> None:
        tensors = {"model": checkpoint.weights(self.job.model), "optimizer": self.optimizer.state_tensors()}
        state = {**self.progress.state(), "seconds": self.elapsed()}
        state |= {"scale": self.precision.scale, "good_steps": self.precision.good_steps}
        if self.ranks.first:
            self.metrics.sync()
        self.saver.begin(self.progress.step, tensors, state)

    def _resume(self) -> None:
        """Go to the newest whole checkpoint, or write the one of step 0 that the guard may need."""
        snapshot = checkpoint.latest(self.run.checkpoints, self.listener.note if self.ranks.first else lambda _: None)
        self.ranks.wait()
        if snapshot is None:
            self._rewind_logs()
            self._look_first()
            self._save()
            return
        self._restore(snapshot)
        if self.ranks.first:
            self._rewind_logs()
            self.listener.note(f"going on from step {self.progress.step}")

    def _look_first(self) -> None:
        """Validate before the first step; what that takes is kept free at the end of a budget."""
        if self.job.validation is not None:
            began = self.clock()
            self._validate(self.job.validation)
            spent = self.clock() - began if self.ranks.first else 0.0
            self.progress.reserve = self.progress.seconds = self.ranks.sum(spent)[0]
            self.horizon = horizon(self.config, self.job, self.progress.reserve)

    def _restore(self, snapshot: checkpoint.Snapshot) -> None:
        state = dict(snapshot.state)
        self.precision.scale, self.precision.good_steps = state.pop("scale"), state.pop("good_steps")
        checkpoint.restore_weights(self.job.model, snapshot.model)
        self.optimizer.load_state_tensors(snapshot.optimizer)
        self.progress = Progress.read(state)
        self.horizon = horizon(self.config, self.job, self.progress.reserve)
        self.began = self.clock() - self.progress.seconds

    def _rewind_logs(self) -> None:
        if self.ranks.first:
            self.metrics.rewind(self.progress.step)
            self.samples.rewind(self.progress.step)

    def _roll_back(self, fault: str, first: int, rows: int) -> None:
        """Return to the last checkpoint and never read these rows again."""
        assert self.config.guard is not None
        step, names = self.progress.step + 1, self.job.source.documents(first, rows)
        self.saver.wait()
        snapshot = checkpoint.latest(self.run.checkpoints, self.listener.note)
        assert snapshot is not None, "the checkpoint of step 0 is written before the first step"
        self.ranks.wait()
        self.optimizer.zero_grad()
        seen = self.elapsed()
        self._restore(snapshot)
        self.began = self.clock() - seen  # lost time is spent time
        self.progress.watch.skipped.append((first, first + rows))
        documents = sorted({name for row in names for name in row})
        event = {"event": "rolled back", "step": step, "to": self.progress.step, "why": fault, "documents": documents}
        if self.ranks.first:
            self._rewind_logs()
            self.events.append({**event, "rows": [first, first + rows]})
            self.listener.note(f"step {step}: {fault}; back to step {self.progress.step}, skipping {few(documents)}")
        self._save()
        if len(self.progress.watch.skipped) >= self.config.guard.patience:
            raise UserError(
                f"{self.run.events}: {len(self.progress.watch.skipped)} faults, the last at step {step} ({fault}); "
                "lower the learning rate or look at the documents listed there"
            )
