"""What is decided about tables of text: delimiters, columns, orientation, units."""

import pytest

from skgex._gene_names import known_symbols, sample_kind
from skgex.io._text import (
    _cells,
    _column_words,
    _columns,
    _delimiter,
    _one_sample,
    _orientation,
)

# Names of columns


def test_no_symbol_of_a_gene_is_taken_for_annotation():
    for symbol in known_symbols():
        assert not _column_words.names_lines(symbol)
        assert not _column_words.says_of_samples(symbol)
        assert not _column_words.sums_up(symbol)
    beside = _columns._BESIDE_SUMMARIES + " " + _columns._BESIDE_FOLD_CHANGES
    found = {s for s in known_symbols() if _column_words.normal(s) in beside.split()}
    assert found <= {"MAX", "T", "F", "B"}  # only beside a sum or a fold change


@pytest.mark.parametrize(
    "name",
    [
        *("Hugo_Symbol", "Entrez_Gene_Id", "Gene ID (NCBI)", "entrezgene", "ENTREZID"),
        *("gene_name", "GeneSymbol", "ENSEMBL_GENE_ID", "Composite Element REF"),
        *(
            "Chr",
            "Start",
            "End",
            "Strand",
            "Length",
            "gene_length_bp",
            "effective_length",
        ),
        *("transcript_id(s)", "gene_biotype", "Description", "tracking_id", "ID_REF"),
        *(
            "adj.P.Val",
            "log2FoldChange",
            "avg_log2FC",
            "S1.Detection Pval",
            "q1_conf_lo",
        ),
        *("# gene", "NAME", "Unnamed gene_id", "GENE SYMBOL"),
    ],
)
def test_names_of_columns_about_genes(name):
    assert _column_words.names_ids(name)
    assert not _column_words.says_of_samples(name)


@pytest.mark.parametrize(
    "name",
    [
        *("TCGA-A1-A0SB-01", "GSM12345", "S1", "Control_1", "normal", "tumor", "MCF7"),
        *("full_length_1", "GENE|1", "SRR123456", "lengthy", "mean_of_3", "TPM_1"),
        *("sumo", "chr1", "MAX", "SD1", "T", "B", "id5", "Total-RNA-1", "gene_list_3"),
    ],
)
def test_names_of_samples_are_no_annotation(name):
    assert not _column_words.names_lines(name)
    assert not _column_words.says_of_samples(name)
    assert not _column_words.sums_up(name)


def columns_of(header, *rows, **options):
    return _columns.find_columns(
        header.split(), [row.split() for row in rows], "file", **options
    )


@pytest.mark.parametrize(
    ("header", "rows", "place"),
    [
        ("gene S1 S2", ["TP53 1 2", "MYC 3 4"], 0),
        ("row gene S1", ["1 TP53 2", "2 MYC 4"], 1),
        ("id gene S1", ["1 TP53 2", "2 MYC 4"], 1),
        ("x1 name S1", ["0 TP53 2", "1 MYC 4"], 1),
        ("index symbol S1", ["3 TP53 2", "9 MYC 4"], 1),  # some lines were left out
        ("row index gene S1", ["1 0 TP53 2", "2 1 MYC 4"], 2),
        ("entrez symbol S1", ["7157 TP53 2", "4609 MYC 4"], 0),
        ("id description S1", ["12 protein 2", "13 kinase 4"], 0),
        ("id sex S1", ["1 F 2", "2 M 4"], 0),
        ("index S1 S2", ["1 1 2", "2 2 4"], 0),
    ],
)
def test_the_column_that_names_the_lines(header, rows, place):
    columns = columns_of(header, *rows)
    assert columns.id == place
    named = [i for i in range(len(header.split())) if header.split()[i][0] == "S"]
    assert columns.values == [i for i in named if i != place]


def test_columns_by_what_they_hold():
    columns = columns_of(
        "gene S1 Length S2 call Total sd S3 note1",
        "TP53 1 9 2 P 3 .5 NA x",
        "MYC NA 9 4 A 4 .5 NA NA",
    )
    assert columns.values == [1, 3, 7]
    assert columns.annotation == [2, 4, 5, 6, 8]
    assert columns.guessed == ["call", "note1"]
    assert columns.summaries == ["Total", "sd"]
    assert columns_of("gene sd S1", "TP53 1 2").values == [1, 2]
    told = columns_of("gene S1 S2 symbol", "E1 1 2 TP53", id_column="symbol")
    assert (told.id, told.values, told.annotation) == (3, [1, 2], [0])
    told = columns_of("S1 S2 symbol", "1 2 TP53", "2 3 MYC", id_column="symbol")
    assert (told.id, told.values, told.annotation) == (2, [0, 1], [])


def test_a_sample_of_text_is_no_annotation():
    """A value that is no number must be refused, not its sample left out."""
    columns = columns_of("gene S1 S2 S3", "TP53 1 high 3", "MYC 3 low 5")
    assert columns.values == [1, 2, 3]


# Delimiters and numbers


@pytest.mark.parametrize(
    ("text", "delimiter", "decimal"),
    [
        ("gene\tS1\nTP53\t1\nMYC\t2.5\n", "\t", "."),
        ("gene\tS1\nTP53, p53\t1\nMYC\t2,5\n", "\t", ","),
        ("gene,S1\nTP53,1\n", ",", "."),
        ("gene;S1;S2\nTP53;1,5;2\n", ";", ","),
        ("gene;S1;S2\nTP53;1,234;0,25\n", ";", ","),
        ("gene S1 S2\nTP53 1,5 2,5\nMYC 2,5 3\n", " ", ","),
        ('"gene","a description","S1"\n"TP53","p53, or; so",1\n', ",", "."),
        ("a title, with a comma\ngene\tS1\tS2\nTP53\t1\t2\nMYC\t1\t2\n", "\t", "."),
        ("gene\tS 1\tS 2\n\tTPM\tTPM\nTP53\t1\t2\n", "\t", "."),
        ("gene,S1,S2\nA B,1,2\nC D,3,4\n", ",", "."),
    ],
)
def test_delimiters(text, delimiter, decimal):
    found = _delimiter.find_dialect(text.encode().splitlines(True), "file")
    assert (found.delimiter, found.decimal) == (delimiter, decimal)


def test_no_delimiter():
    assert _delimiter.find_dialect([b"gene^S1\n", b"TP53^1\n"], "file") is None


@pytest.mark.parametrize(
    ("cells", "mark"),
    [
        (["1", "2"], "."),
        (["1.5", "2,5"], "."),
        (["1,5", "2"], ","),
        (["1,234", "2"], None),
        (["0,234", "2"], ","),
        (["1,234", "0,5"], ","),
        (["1,5e3"], ","),
        ([",5"], ","),
        (["1,234,567"], "."),
    ],
)
def test_decimal_marks(cells, mark):
    assert _cells.decimal_mark(cells) == mark


@pytest.mark.parametrize(
    ("cells", "n"), [(["1.50", "2.25"], 2), (["1", "2"], 0), (["1.5", "2"], None)]
)
def test_number_of_decimals(cells, n):
    assert _cells.n_decimals([*cells, "NA", ""], ".") == n
    assert _cells.n_decimals([*cells, "1e5"], ".") is None


# Orientation

OF_GENES = {
    "symbols": "TP53 MYC EGFR",
    "of mice": "Trp53 Myc Egfr",
    "Ensembl": "ENSG00000141510.17 ENSG00000136997.2",
    "transcripts": "ENST00000456328.2 ENST00000450305.2",
    "of R": "HLA.A HLA.DRB1 TP53",
    "double": "TP53|7157 MYC|4609 ?|100130426",
    "DepMap": "TP53_(7157) MYC_(4609)",
    "probe sets": "1007_s_at 1053_at AFFX-BioB-5_at",
    "RefSeq": "NM_000546 NM_002467",
    "Illumina": "ILMN_1343291 ILMN_1343295",
    "assembled": "XLOC_000001 XLOC_000002",
    "half of them": "TP53 unheard MYC nameless",
}
OF_SAMPLES = {
    "TCGA": "TCGA-A1-A0SB-01 TCGA-A1-A0SD-01",
    "TCGA in R": "TCGA.A1.A0SB.01 TCGA.A1.A0SD.01",
    "GTEx": "GTEX-1117F-0226-SM-5GZZ7 GTEX-111CU-1826-SM-5GZYN",
    "GEO": "GSM123456 GSM123457",
    "SRA": "SRR1234567 ERR1234568",
    "DepMap": "ACH-000001 ACH-000002",
    "numbered": "S1 S2 S3",
    "groups": "WT_1 WT_2 KO_1",
    "people": "Alice Bob Carol",
    "cell lines": "HeLa MCF-7 A549",
    "patients": "P-01 P-02",
    "numbers": "0 1 2 3",
    "R's numbers": "X1 X2 X3",
}


@pytest.mark.parametrize("genes", OF_GENES)
@pytest.mark.parametrize("samples", OF_SAMPLES)
def test_names_tell_what_stands_in_lines(genes, samples):
    one = [name.replace("_(", " (") for name in OF_GENES[genes].split()]
    other = OF_SAMPLES[samples].split()
    for corner in ("", "sample", "id"):
        found = _orientation.evidence(one, other, corner)
        assert found >= 0.5
        assert _orientation.evidence(other, one, corner) == -found
        assert _orientation.find_orientation(found, one, other, "x")[0] == (
            "genes_in_rows"
        )


def test_numbers_alone_tell_little():
    entrez = ["7157", "4609", "1956"]
    found = _orientation.evidence(entrez, ["TCGA-A1-A0SB-01"])
    assert found == 1.5
    assert _orientation.evidence(entrez, ["1001", "1005", "1017"]) == 0
    assert _orientation.evidence(entrez, ["1001", "1005"], "Entrez_Gene_Id") == 0.5
    assert _orientation.evidence(entrez, ["1001", "1005"], "patient_id") == -0.5
    assert _orientation.evidence(["1", "2", "3"], ["a", "b"]) == 0


def test_columns_about_genes_or_samples_tell_too():
    unknown = ["foo", "bar"], ["baz", "qux"]
    assert _orientation.evidence(*unknown, n_about_genes=2) == 0.5
    assert _orientation.evidence(*unknown, n_about_samples=2) == -0.5
    assert _orientation.evidence(*unknown, "depmap_id") == -0.5


def test_the_shape_tells_only_where_it_is_clear():
    names = [f"n{i}" for i in range(9)]
    find = _orientation.find_orientation
    assert find(0, names, names[:3], "x") == ("genes_in_rows", True)
    assert find(0, names[:3], names, "x") == ("samples_in_rows", True)
    with pytest.raises(ValueError, match=r"x: it cannot be told.*9 lines"):
        find(0, names, names[:4], "x")


# One sample


@pytest.mark.parametrize(
    ("path", "sample"),
    [
        ("tumour/quant.sf", "tumour"),
        ("tumour/quant.sf.gz", "tumour"),
        ("tumour/abundance.tsv", "tumour"),
        ("tumour/t_data.ctab", "tumour"),
        ("x/tumour.genes.results", "tumour"),
        ("x/tumour_ReadsPerGene.out.tab", "tumour"),
        ("x/tumourReadsPerGene.out.tab", "tumour"),
        ("tumour/ReadsPerGene.out.tab", "tumour"),
        ("x/0a1b.rna_seq.augmented_star_gene_counts.tsv", "0a1b"),
        ("x/GSM123.txt.gz", "GSM123"),
    ],
)
def test_a_sample_is_named_by_its_file_or_folder(path, sample):
    assert _one_sample.sample_name(path) == sample


@pytest.mark.parametrize(
    ("names", "quantities"),
    [
        ("S1_TPM S2_TPM", ["tpm"]),
        ("S1_TPM S1_counts", ["counts", "tpm"]),
        ("TPM.S1 FPKM.S1", ["fpkm", "tpm"]),
        ("S1_TPM S2", []),
        ("S1 S2", []),
        ("discount_1 accounts", []),
    ],
)
def test_quantities_in_names_of_samples(names, quantities):
    assert _one_sample.quantities_of(names.split()) == quantities


def test_a_table_of_counts_is_no_table_of_one_sample():
    names = "gene TCGA-A1-A0SB-01 S2"
    assert _one_sample.quantifier_of(columns_of(names, "TP53 1 2")) is None
    of_one = columns_of("gene TPM FPKM", "TP53 1 2")
    assert _one_sample.quantifier_of(of_one) == "table of one sample"


def test_the_names_in_tests_are_of_the_kinds_they_say():
    assert sample_kind("TCGA-A1-A0SB-01") == "TCGA barcode"
