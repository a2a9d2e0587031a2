"""Tables with holes in training and test rows, and the scores of what fills them."""

from typing import NamedTuple

import numpy as np
from imputation_data import load, scores

SMALLEST_STD = 1e-6
# How much the odds of a hole rise with one standard deviation of its driver (MAR).
SLOPE = 2.0
HIGHEST = 0.95
LARGEST_SHARE = 0.9
WITHIN_90 = 1.645


class Rows(NamedTuple):
    """Training and test rows in standard deviations of the training rows."""

    name: str
    train: np.ndarray
    groups: np.ndarray
    test: np.ndarray
    limit: float

    @property
    def values(self):
        return np.vstack([self.train, self.test])


class Table(NamedTuple):
    """What methods are given: rows with holes, scaled by the values that are left."""

    rows: Rows
    hidden: np.ndarray
    mean: np.ndarray
    std: np.ndarray
    train: np.ndarray
    test: np.ndarray

    @property
    def places(self):
        n_train = len(self.train)
        parts = {"in the fit": slice(n_train), "held out": slice(n_train, None)}
        return {name: part for name, part in parts.items() if self.hidden[part].any()}

    def score(self, imputed, std=None):
        """Yield the scores of either place, in standard deviations of `rows`.

        `imputed` has training rows, then test rows, in the scale of the table; `std`
        the standard deviations that a method gives of its own.
        """
        limit, truth = self.rows.limit, self.rows.values
        imputed = np.clip(imputed * self.std + self.mean, -limit, limit)
        for place, part in self.places.items():
            hidden = self.hidden[part]
            found = scores(truth[part], imputed[part], hidden, limit)
            error = (imputed - truth)[part][hidden].astype(float)
            found |= {"place": place, "bias": error.mean(), "share": hidden.mean()}
            if std is not None:
                inside = np.abs(error) < WITHIN_90 * (std * self.std)[part][hidden]
                found["coverage"] = inside.mean()
            yield found


def load_rows(data, name, seed, arguments):
    """Split a set, take some training rows, and scale all rows by these."""
    task = load(data, name, seed, test_rows=arguments.test_rows, quick=arguments.quick)
    order = np.random.default_rng([seed, 3]).permutation(len(task.train))
    kept = np.sort(order[: arguments.train_rows])
    train = task.train[kept].astype(float)
    std = np.nanstd(train, axis=0)
    genes = std > SMALLEST_STD
    mean, std = np.nanmean(train[:, genes], axis=0), std[genes]
    parts = [(part[:, genes] - mean) / std for part in (train, task.test)]
    train, test = (np.clip(part, -task.limit, task.limit) for part in parts)
    return Rows(name, train, task.groups[kept], test, task.limit)


def hide(rows, hidden_train, hidden_test):
    """Return the table without some values, scaled anew.

    Centred with what is now hidden, each gene would sum to zero with it, and a method
    that sees this is told of hidden values.
    """
    truth = rows.values
    hidden = np.vstack([hidden_train, hidden_test]) & ~np.isnan(truth)
    X = np.where(hidden, np.nan, truth)
    n_train = len(rows.train)
    mean, std = np.nanmean(X[:n_train], axis=0), np.nanstd(X[:n_train], axis=0)
    std[~(std > SMALLEST_STD)] = 1
    X = np.clip((X - mean) / std, -rows.limit, rows.limit).astype(np.float32)
    return Table(rows, hidden, mean, std, X[:n_train], X[n_train:])


def random_holes(rows, rate, seed):
    """Holes at random in training, nested over rates; half of the test values.

    Those of the test rows are the same at all rates.
    """
    train = np.random.default_rng([seed, 2]).random(rows.train.shape) < rate
    return train, np.random.default_rng([seed, 1]).random(rows.test.shape) < 0.5


def more_holes(rows, rate, seed):
    """Holes at random, as many in test rows as in training."""
    rng = np.random.default_rng([seed, 2])
    return rng.random(rows.train.shape) < rate, rng.random(rows.test.shape) < rate


def blocks(rows, parts, seed):
    """Rows that lack genes, for each part a share of rows and one of the genes.

    Parts have different rows, and genes drawn independently. The test rows all lack
    genes, of the parts in turn as often as in training.
    """
    rng = np.random.default_rng([seed, 4])
    (n_rows, n_genes), n_test = rows.train.shape, len(rows.test)
    train, test = np.zeros(rows.train.shape, bool), np.zeros(rows.test.shape, bool)
    order, test_order = rng.permutation(n_rows), rng.permutation(n_test)
    total = sum(share for share, _ in parts)
    first = first_test = 0.0
    for share, genes in parts:
        absent = rng.permutation(n_genes) < round(genes * n_genes)
        last, last_test = first + share, first_test + share / total
        train[order[round(first * n_rows) : round(last * n_rows)]] = absent
        test[test_order[round(first_test * n_test) : round(last_test * n_test)]] = (
            absent
        )
        first, first_test = last, last_test
    return train, test


def driven(rows, rate, seed):
    """Holes that depend on measured genes (MAR).

    Half of the genes, or a fifth if the rate is above 40 %, have no holes. Each other
    gene has one of these as its driver: the higher it is, the likelier is a hole.
    """
    rng = np.random.default_rng([seed, 5])
    n_genes = rows.train.shape[1]
    n_drivers = n_genes // (5 if rate > 0.4 else 2)
    order = rng.permutation(n_genes)
    drivers, others = order[:n_drivers], order[n_drivers:]
    chosen = rng.choice(drivers, len(others))
    wanted = rate * n_genes / len(others)

    def chance(X, threshold):
        return HIGHEST / (1 + np.exp(-SLOPE * (X[:, chosen] - threshold)))

    low, high = -20.0, 20.0
    for _ in range(40):
        middle = (low + high) / 2
        too_many = chance(rows.train, middle).mean() > wanted
        low, high = (middle, high) if too_many else (low, middle)
    holes = []
    for X in (rows.train, rows.test):
        holes.append(np.zeros(X.shape, bool))
        holes[-1][:, others] = rng.random((len(X), len(others))) < chance(X, low)
    return holes


def below_limit(rows, rate, seed):
    """Values below a limit of detection of their gene (MNAR), all of them.

    The share that a gene loses is drawn from a Beta distribution with mean `rate`,
    between 0 and twice that, 90 % at most. Equal values, as at a floor, are lost all
    or none, by chance, so that the expected share is what was drawn; none if more
    than 90 % would be lost.
    """
    rng = np.random.default_rng([seed, 6])
    n_rows, n_genes = rows.train.shape
    largest = min(LARGEST_SHARE, 2 * rate)
    middle = rate / largest
    shares = largest * rng.beta(4 * middle, 4 * (1 - middle), n_genes)
    limits = np.empty(n_genes)
    for gene, share in enumerate(shares):
        values = np.sort(rows.train[:, gene])
        n_lost = int(share * n_rows)
        limit = values[n_lost]
        first = np.searchsorted(values, limit)
        after = np.searchsorted(values, limit, side="right")
        takes = rng.random() < (n_lost - first) / (after - first)
        if takes and after <= LARGEST_SHARE * n_rows:
            limit = np.nextafter(limit, np.inf)
        limits[gene] = limit
    return rows.train < limits, rows.test < limits


def block_of(rows, rate, seed):
    """One block: half of the rows, or 62.5 % if the rate is 50 %."""
    share = 0.5 if rate <= 0.4 else 0.625
    return blocks(rows, [(share, rate / share)], seed)


BLOCKS = {
    "half": [(0.5, 0.5)],
    "80 %": [(0.2, 0.8)],
    "both": [(0.5, 0.5), (0.2, 0.8)],
}
KINDS = {"MCAR": more_holes, "MAR": driven, "MNAR": below_limit, "block": block_of}


def cells(part, rates, seed):
    """Yield the name of each pattern of holes of a part, and what makes it."""
    if part == "blocks":
        for name, parts in BLOCKS.items():
            yield name, lambda rows, parts=parts: blocks(rows, parts, seed)
    elif part == "kinds":
        for kind, make in KINDS.items():
            for rate in rates:
                name = f"{kind} {rate:.0%}"
                yield name, lambda rows, make=make, rate=rate: make(rows, rate, seed)
    else:
        make = random_holes if part == "random" else more_holes
        for rate in rates:
            yield f"{rate:.0%}", lambda rows, rate=rate: make(rows, rate, seed)


def compare(part, rows, ours, all_ours):
    """Print what the part is for: ratios of errors, of one seed, averaged over seeds.

    random: over the error after a fit to complete rows. blocks: that of `ours` over
    the best of the others, in per cent. kinds: the best method.
    """
    wide = rows.pivot_table("rmse", ["seed", "method"], "holes", sort=False)
    by_method = {"level": "method", "sort": False}
    if part == "random" and "0%" in wide:
        ratio = wide.div(wide["0%"], axis=0).groupby(**by_method).mean()
        print(f"\nover a fit to complete rows\n{ratio.round(3).to_string()}")
    if part == "random" or ours not in set(rows.method):
        return
    base = wide.xs(ours, level="method")
    relative = wide.div(base, level="seed").groupby(**by_method).mean()
    if part == "kinds":
        print(f"\nbest\n{relative.idxmin().to_string()}")
    others = wide[~wide.index.isin(all_ours, level="method")]
    if part == "blocks" and len(others):
        lead = 100 * (base / others.groupby(level="seed").min() - 1)
        print(f"\n{ours} over the best other, per cent")
        print(lead.mean().round(1).to_string())
