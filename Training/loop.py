"""The loop that stages share: by the clock, from the state that was saved."""

import numpy as np
import torch

import clock


def train(label, model, optimizer, loss_at, minutes, state_path, peak_rate, most, log, on_save=lambda average: None):
    """Trains until the clock ends it, and saves on the way; the average of the parameters as `clock.Average` keeps it.

    `loss_at(step, progress)` gives the loss and the number that is logged; `on_save` is told of each save.
    """
    average, step, timer = clock.Average(model), 0, clock.Clock(minutes)
    state = clock.load(state_path)
    if state:
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        average.values, step = state["average"], state["step"]
        timer = clock.Clock(minutes, state["seconds"])

    def save():
        clock.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step,
                    "average": average.values, "seconds": timer.spent}, state_path)
        on_save(average)

    recent = []
    while not timer.done():
        progress = timer.progress()
        clock.set_learning_rate(optimizer, clock.learning_rate(peak_rate, step, progress))
        loss, shown = loss_at(step, progress)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        average.update(model, step, most=most)
        step += 1
        timer.tick()
        recent.append(shown.item())
        if step % 50 == 0:
            log(f"{label} step {step} loss {np.mean(recent):.4f} {timer.progress():.0%}")
            recent = []
        if timer.save_is_due():
            save()
    save()
    return average
