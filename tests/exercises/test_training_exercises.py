"""The exercises of the chapter on training, held against PyTorch and against functions as readers write them."""

import torch
from readers import are_recognized, pass_the_check

from backbone.exercises.training import adam_step, momentum_step, stop_early

# --- Right, in another way ----------------------------------------------------------------------------------


def momentum_step_by_torch(w, velocity, gradient, rate, keep):
    leaf = torch.tensor(w, requires_grad=True)
    optimizer = torch.optim.SGD([leaf], lr=rate, momentum=keep)
    if keep:
        optimizer.state[leaf]["momentum_buffer"] = torch.tensor(velocity)
    leaf.grad = torch.tensor(gradient)
    optimizer.step()
    return leaf.detach(), keep * velocity + gradient


def adam_step_by_torch(w, gradient, mean, square, t, rate):
    leaf = torch.tensor(w, requires_grad=True)
    optimizer = torch.optim.Adam([leaf], lr=rate)
    state = {"step": torch.tensor(float(t - 1)), "exp_avg": torch.tensor(mean), "exp_avg_sq": torch.tensor(square)}
    optimizer.state[leaf] = state
    leaf.grad = torch.tensor(gradient)
    optimizer.step()
    return leaf.detach(), state["exp_avg"], state["exp_avg_sq"]


def stop_early_by_waiting(losses, patience):
    lowest, kept, waited = float("inf"), 0, 0
    for epoch, loss in enumerate(losses):
        waited += 1
        if loss < lowest:
            lowest, kept, waited = loss, epoch, 0
        if waited == patience:
            break
    return kept


test_other_right_ways_pass = pass_the_check(
    (momentum_step, momentum_step_by_torch),
    (adam_step, adam_step_by_torch),
    (stop_early, stop_early_by_waiting),
)


# --- Wrong ways -----------------------------------------------------------------------------------------------


def forgets_the_start(w, gradient, mean, square, t, rate):
    m, v = 0.9 * mean + 0.1 * gradient, 0.999 * square + 0.001 * gradient**2
    return w - rate * m / (v**0.5 + 1e-8), m, v


def adds_nothing(w, gradient, mean, square, t, rate):
    m, v = 0.9 * mean + 0.1 * gradient, 0.999 * square + 0.001 * gradient**2
    return w - rate * m / (1 - 0.9**t) / (v / (1 - 0.999**t)) ** 0.5, m, v


def counts_all_pauses(losses, patience):
    lowest, kept, left = losses[0], 0, patience
    for epoch, loss in enumerate(losses[1:], start=1):
        if loss < lowest:
            lowest, kept = loss, epoch
            continue
        left -= 1
        if left == 0:
            return kept
    return kept


test_mistakes_as_readers_write_them_are_recognized = are_recognized(
    (adam_step, "The means were not divided", forgets_the_start),
    (adam_step, "The 1e-8 is missing", adds_nothing),
    (stop_early, "The count was never set back", counts_all_pauses),
    (stop_early, "The lowest of all losses", lambda losses, patience: losses.index(min(losses))),
)
