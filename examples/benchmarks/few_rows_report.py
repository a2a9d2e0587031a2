"""Tables of `few_rows.py`."""

import numpy as np

OWN, FROZEN = "own rows", "frozen"
LARGE = 300


def report(table):
    """Print the errors of each target, and what adapting gains."""
    for target, rows in table.groupby("target", sort=False):
        for value in ("rmse", "r"):
            wide = rows.pivot_table(
                value, ["genes", "holes", "n"], "method", sort=False
            )
            wide = wide.sort_index(level=[0, 1, 2], ascending=[False, True, True])
            print(f"\n{target}, {value}\n{wide.round(3).to_string(na_rep='')}")
    ours = [name for name in table.method.unique() if name.startswith("adapted")]
    for name in ours:
        print_gains(table, name)
        print_worst(table, name, ours)
        print_nothing_shared(table, name)
    seconds = table.pivot_table("fit_s", "method", "n", sort=False)
    seconds["restore"] = table.groupby("method")["restore_s"].mean()
    print(
        f"\nseconds of the fit by n, and of restoring\n{seconds.round(2).to_string()}"
    )


def print_gains(table, name):
    """Print the gain by n, in per cent of the error, over targets and draws."""
    z13 = table["target"].str.startswith("z13")
    kinds = {
        "all targets": table["genes"] == "shared",
        "z13 cohorts": (table["genes"] == "shared") & z13,
        "other sets": (table["genes"] == "shared") & ~z13,
        "other sets, new genes": (table["genes"] == "new") & ~z13,
    }
    for label, rows in kinds.items():
        base = [OWN] if label.endswith("new genes") else [OWN, FROZEN]
        wide = table[rows].pivot_table(
            "rmse", ["n", "target", "seed", "holes"], "method"
        )
        if not {name, *base} <= set(wide.columns):
            continue
        gain = 100 * (1 - wide[name] / wide[base].min(axis=1, skipna=False))
        gain = gain.dropna().unstack("holes")
        gain["all"] = gain.mean(axis=1)
        by_n = gain.groupby(level="n")
        half = 1.96 * by_n.std() / np.sqrt(by_n.count())
        cells = by_n.mean().map("{:+.1f}".format) + half.map(" ± {:.1f}".format)
        # One draw has no interval.
        cells = cells.replace(" ± nan", "", regex=True)
        cells["pairs"] = by_n.size()
        over = OWN if len(base) == 1 else f"the better of {OWN} and {FROZEN}"
        print(f"\ngain of {name} over {over}, per cent, {label}")
        print(cells.to_string())


def print_worst(table, name, ours):
    """Print where a method compares worst, means over seeds."""
    cell = ["target", "genes", "n", "holes"]
    wide = table.pivot_table("rmse", [*cell, "seed"], "method")
    wide = wide[wide[name].notna()].groupby(level=cell).mean()
    others = wide.drop(columns=ours)
    if others.empty:
        return
    best = others.min(axis=1)
    large = wide.index.get_level_values("n") >= LARGE
    comparisons = {"the best of all others": wide[name] / best}
    if OWN in wide:
        own = wide[name] / wide[OWN]
        comparisons[OWN] = own
        comparisons[f"{OWN}, n >= {LARGE}"] = own[large]
    print()
    for label, ratio in comparisons.items():
        ratio = ratio.dropna()
        if len(ratio):
            worst = ratio.idxmax()
            where = ", ".join(map(str, worst))
            which = others.loc[worst].idxmin() if label.endswith("others") else OWN
            print(
                f"worst of {name} against {label}: {100 * (ratio.max() - 1):+.2f} % "
                f"({where}; {which})"
            )


def print_nothing_shared(table, name):
    """Print the difference from a fresh start where no gene is known."""
    shared = table["target"][table["genes"] == "shared"]
    rest = table[~table["target"].isin(shared)]
    wide = rest.pivot_table("rmse", ["target", "seed", "n", "holes"], "method")
    if {name, OWN} <= set(wide.columns):
        difference = (wide[name] - wide[OWN]).abs().max()
        print(
            f"largest difference from {OWN} where nothing is shared: {difference:.2g}"
        )
