"""The exercises of the chapter on dropout, held against PyTorch and against functions as readers write them."""

import numpy as np
import torch
from readers import are_not_recognized, are_recognized, pass_the_check

from backbone.exercises.dropout import convert_keep_prob, dropout, spatial_dropout


def from_numpy(generator):
    return torch.Generator().manual_seed(int(generator.integers(2**31)))


# --- Right, in another way ----------------------------------------------------------------------------------


def dropout_by_torch(x, p, training, generator):
    if not training:
        return x
    mask = torch.empty(x.shape).bernoulli_(1 - p, generator=from_numpy(generator))
    return torch.tensor(x) * mask / (1 - p) if p < 1 else torch.zeros(x.shape)


def dropout_one_by_one(x, p, training, generator):
    out = x.copy()
    if training:
        for place in np.ndindex(x.shape):
            out[place] = 0 if generator.uniform() < p else x[place] / (1 - p)
    return out


def dropout_by_choice(x, p, training, generator):
    mask = generator.choice([0.0, 1.0], size=x.shape, p=[p, 1 - p])
    return x * mask / max(1 - p, 1e-12) if training else x


def convert_by_asking_for_the_same_output(keep, w):
    """The network of 2014 gives keep * (w @ h) at test time; ask for that at each unit vector."""
    return round(1 - keep, 12), np.stack([keep * (w @ unit) for unit in np.eye(w.shape[1])], axis=1)


def spatial_by_torch(x, p, generator):
    torch.manual_seed(int(generator.integers(2**31)))
    return torch.nn.functional.dropout2d(torch.tensor(x), p, training=True)


def spatial_by_loops(x, p, generator):
    out = np.zeros_like(x)
    for n, c in np.ndindex(*x.shape[:2]):
        if generator.random() > p:
            out[n, c] = x[n, c] / (1 - p)
    return out


test_other_right_ways_pass = pass_the_check(
    (dropout, dropout_by_torch),
    (dropout, dropout_one_by_one),
    (dropout, dropout_by_choice),
    (convert_keep_prob, convert_by_asking_for_the_same_output),
    (convert_keep_prob, lambda keep, w: (np.float64(1 - keep), torch.tensor(w) * keep)),
    (spatial_dropout, spatial_by_torch),
    (spatial_dropout, spatial_by_loops),
)


def test_the_conversion_is_that_of_a_network_run_both_ways():
    """Training with the same mask, and evaluation, give what the network of 2014 gives."""
    rng = np.random.default_rng(0)
    keep, w, h = 0.8, rng.normal(size=(3, 6)), rng.normal(size=6)
    p, converted = convert_keep_prob(keep, w)
    layer = torch.nn.Dropout(p)
    x = torch.tensor(h)
    np.testing.assert_allclose(converted @ layer.eval()(x).numpy(), keep * (w @ h))
    dropped = layer.train()(x).numpy()
    np.testing.assert_allclose(converted @ dropped, w @ (h * (dropped != 0)))


# --- Wrong ways -----------------------------------------------------------------------------------------------


def masked(x, p, generator, scale, shape=None, less=False):
    drawn = generator.random(shape or x.shape)
    return np.where(drawn < p if less else drawn >= p, x * scale, 0)


def without_a_case_for_one(x, p, training, generator):
    if not training:
        return x
    mask = generator.random(x.shape) > p
    return x * mask / np.float64(1 - p)


def with_global_numbers(x, p, training, generator):
    if not training or p == 1:
        return x * (not training)
    return x * (np.random.default_rng().random(x.shape) >= p) / (1 - p)


def asking_for_one_first(x, p, training, generator):
    return np.zeros_like(x) if p == 1 else dropout_one_by_one(x, p, training, generator)


def an_equal_number(x, p, training, generator):
    out = x.copy()
    if training:
        gone = generator.choice(x.size, round(p * x.size), replace=False)
        out = out / (1 - p) if p < 1 else out
        out.flat[gone] = 0
    return out


def an_equal_number_in_each_row(x, p, training, generator):
    return np.stack([an_equal_number(row, p, training, generator) for row in x])


def an_equal_number_of_maps(x, p, generator):
    kept = an_equal_number_in_each_row(np.ones(x.shape[:2]), p, True, generator)
    return x * kept[:, :, None, None]


test_mistakes_as_readers_write_them_are_recognized = are_recognized(
    (dropout, "The number p was taken", lambda x, p, t, g: masked(x, p, g, 1 / p, less=True) if t else x),
    (dropout, "The kept values were divided", lambda x, p, t, g: masked(x, p, g, 1 / p) if t else x),
    (dropout, "The kept values were multiplied", lambda x, p, t, g: masked(x, p, g, 1 - p) if t else x),
    (dropout, "The kept values were not scaled", lambda x, p, t, g: masked(x, p, g, 1) if t else x),
    (dropout, "Nothing was scaled in training, and all", lambda x, p, t, g: masked(x, p, g, 1) if t else (1 - p) * x),
    (dropout, "Values were dropped in evaluation", lambda x, p, t, g: masked(x, p, g, 1 / (1 - p) if p < 1 else 0)),
    (
        dropout,
        "All rows of the batch",
        lambda x, p, t, g: masked(x, p, g, 1 / max(1 - p, 1e-9), x.shape[1]) if t else x,
    ),
    (dropout, "With p = 1", without_a_case_for_one),
    (dropout, "With p = 1 zeros", asking_for_one_first),
    (dropout, "Each time equally many", an_equal_number),
    (dropout, "Each time equally many", an_equal_number_in_each_row),
    (dropout, "The numbers did not come", with_global_numbers),
    (dropout, "Each call gave the same", lambda x, p, t, g: dropout_one_by_one(x, p, t, np.random.default_rng(42))),
    (convert_keep_prob, "The p of 2014", lambda keep, w: (keep, w * keep)),
    (convert_keep_prob, "The weights came back", lambda keep, w: (1 - keep, w.copy())),
    (convert_keep_prob, "The weights were divided", lambda keep, w: (1 - keep, w * (1 / keep))),
    (convert_keep_prob, "The weights were multiplied", lambda keep, w: (1 - keep, w - keep * w)),
    (spatial_dropout, "Single pixels were dropped", lambda x, p, g: masked(x, p, g, 1 / (1 - p))),
    (spatial_dropout, "Single pixels were dropped", lambda x, p, g: dropout_by_torch(x, p, True, g)),
    (spatial_dropout, "One mask of pixels", lambda x, p, g: masked(x, p, g, 1 / (1 - p), (1, 1, *x.shape[2:]))),
    (spatial_dropout, "All pictures lost the same", lambda x, p, g: masked(x, p, g, 1 / (1 - p), (x.shape[1], 1, 1))),
    (spatial_dropout, "Whole pictures came out", lambda x, p, g: masked(x, p, g, 1 / (1 - p), (len(x), 1, 1, 1))),
    (spatial_dropout, "The maps that stay were not scaled", lambda x, p, g: (1 - p) * spatial_by_torch(x, p, g)),
    (spatial_dropout, "Each time equally many maps", an_equal_number_of_maps),
    (spatial_dropout, "The numbers did not come", lambda x, p, g: spatial_by_torch(x, p, np.random.default_rng())),
    (spatial_dropout, "Each call gave the same", lambda x, p, g: spatial_by_loops(x, p, np.random.default_rng(1))),
)


test_another_mistake_is_not_mistaken_for_a_known_one = are_not_recognized(
    (dropout, lambda x, p, t, g: x[:3]),
    (spatial_dropout, lambda x, p, g: x.mean(axis=(2, 3))),
)


def test_a_report_speaks_of_what_the_function_was_given():
    report = dropout.check(lambda x, p, training, generator: x)
    assert report.messages[0].startswith(
        "Case 1, training with p = 0.3, share of values that came out as 0, in tenths [x of shape (400, 25), p = 0.3, "
        "training = True]: 0 came out; 0.3 was expected."
    )
    assert "shape (3, 25) came out; (400, 25) was expected." in str(dropout.check(lambda x, *rest: x[:3]))
    assert dropout.check(lambda x, *rest: x[:3]).messages[-1] == "Right in 0 of 11 hidden cases."
