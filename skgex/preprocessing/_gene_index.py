"""The genes of a model, found by any form of their names."""

from .._gene_names import clean_name, is_unnamed, r_name, split_double

COPY = "_PAR_Y"


class GeneIndex:
    """Find genes by name: as it is, or by the rules for what tools make of names.

    Parameters
    ----------
    genes : sequence of str
        The genes. Those without a name, such as ---, are never found.
    strip : callable
        Takes the version off a name.

    Raises
    ------
    ValueError
        If two genes are one without their versions.
    """

    def __init__(self, genes, strip):
        self._strip = strip
        self._exact, self._clean, self._stripped = {}, {}, {}
        self._by_symbol, self._by_id, self._by_r_name = {}, {}, {}
        for place, gene in enumerate(genes):
            name = clean_name(gene)
            if not is_unnamed(name):
                self._exact[gene] = [place]
                self._clean.setdefault(name, []).append(place)
                self._add_forms(name, place)
        self._check_versions(genes)

    def _add_forms(self, name, place):
        self._stripped.setdefault(self._strip(name), []).append(place)
        forms, id_ = {name}, ""
        if halves := split_double(name):
            symbol, id_ = halves
            self._by_id.setdefault(self._strip(id_), []).append(place)
            if symbol and not id_.endswith(COPY):
                self._by_symbol.setdefault(symbol, []).append((place, id_))
                forms.add(symbol)
            forms.add(id_)
        for form in forms:
            if r_name(form) != form:
                self._by_r_name.setdefault(r_name(form), []).append((place, id_))

    def _check_versions(self, genes):
        for first, *others in self._stripped.values():
            for other in others:
                if clean_name(genes[first]) != clean_name(genes[other]):
                    raise ValueError(
                        f"genes has {str(genes[first])!r} and {str(genes[other])!r}, "
                        "which are one gene without their versions. Keep one, or set "
                        "strip_version=False."
                    )

    def exact(self, name):
        """Return the places of the gene of this name as it is."""
        return self._exact.get(name, [])

    def same(self, name):
        """Return (rule, places) of the genes that have this very id, by clean names."""
        if name in self._clean:
            return "spaces", self._clean[name]
        return "version", self._stripped.get(self._strip(name), [])

    def double(self, name, halves):
        """Return the places where the name, or that of a gene, holds two."""
        if not halves:
            name = self._strip(name)
            by_symbol = [place for place, _ in self._by_symbol.get(name, ())]
            return by_symbol or self._by_id.get(name, [])
        symbol, id_ = halves
        places = self._by_id.get(self._strip(id_), [])
        # The copy of a gene on Y has its symbol too.
        symbol = "" if id_.endswith(COPY) else symbol
        if not places and symbol:
            places = self.same(symbol)[1]
        places = places or self.same(id_)[1]
        return places or _of(id_, self._by_symbol.get(symbol, ()))

    def copied(self, name):
        """Return the places of the gene that this is the copy on Y of."""
        if COPY not in name:
            return []
        name = name.replace(COPY, "")
        return self.same(name)[1] or self.double(name, split_double(name))

    def mangled(self, name, halves):
        """Return the places where R has changed the name, or that of a gene."""
        places = _of("", self._by_r_name.get(name, ()))
        if not places and halves and not halves[1].endswith(COPY):
            places = _of(halves[1], self._by_r_name.get(halves[0], ()))
        if not places and (other := r_name(name)) != name:
            places = self.same(other)[1]
        return places


def _of(id_, pairs):
    """Return the genes of (place, id) whose id may be this one, as of another kind."""
    return [
        place
        for place, other in pairs
        if not id_ or not other or other.isdecimal() != id_.isdecimal()
    ]
