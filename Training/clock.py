"""Training by the clock: progress, learning rate and saving that survive a restart."""

import math
import os
import time

import torch


LONGEST_STEP = 20  # seconds; more than this, and the machine was asleep


class Clock:
    """Counts the seconds a stage was trained, those of earlier runs included."""

    def __init__(self, minutes, spent=0.0):
        self.budget = minutes * 60
        self.spent = spent
        self.last = time.monotonic()
        self.saved = self.last

    def tick(self):
        now = time.monotonic()
        self.spent += min(now - self.last, LONGEST_STEP)
        self.last = now
        return self.progress()

    def progress(self):
        return min(1.0, self.spent / self.budget)

    def done(self):
        return self.spent >= self.budget

    def save_is_due(self, every=300):
        if self.last - self.saved < every:
            return False
        self.saved = self.last
        return True


def learning_rate(peak, step, progress, warm_up=100, floor=0.02):
    cosine = 0.5 + 0.5 * math.cos(math.pi * progress)
    return peak * min(1.0, (step + 1) / warm_up) * (floor + (1 - floor) * cosine)


def set_learning_rate(optimizer, rate):
    for group in optimizer.param_groups:
        group["lr"] = rate * group.get("scale", 1)


class Average:
    """An exponential moving average of a module's parameters."""

    def __init__(self, module):
        self.values = {name: value.detach().clone() for name, value in module.state_dict().items()}

    @torch.no_grad()
    def update(self, module, step, most=0.9995):
        keep = min(most, (1 + step) / (10 + step))
        for name, value in module.state_dict().items():
            if value.dtype.is_floating_point:
                self.values[name].lerp_(value, 1 - keep)
            else:
                self.values[name].copy_(value)


def save(state, path):
    """Writes beside and renames, so that a kill leaves the last whole state."""
    torch.save(state, str(path) + ".partial")
    os.replace(str(path) + ".partial", path)


def load(path):
    return torch.load(path, map_location="cpu", weights_only=True) if os.path.exists(path) else None
