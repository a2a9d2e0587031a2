"""Tables of one sample by quantifiers, and folders of them."""

import gzip
import warnings

import pytest
from text_tables import lines, table

from skgex.io import read_expression, read_xena, to_memmap

IDS = ["ENST00000456328.2", "ENST00000450305.2"]
SALMON = lines(
    "Name Length EffectiveLength TPM NumReads",
    f"{IDS[0]} 1500 1300.5 12.5 30",
    f"{IDS[1]} 900 700.5 1.5 2",
)
GDC = (
    "# gene-model: GENCODE v36\ngene_id\tgene_name\tgene_type\tunstranded\t"
    "stranded_first\tstranded_second\ttpm_unstranded\tfpkm_unstranded\n"
    "N_unmapped\t\t\t100\t1\t1\t\t\nN_ambiguous\t\t\t9\t1\t1\t\t\n"
    f"{IDS[0]}\tTP53\tprotein_coding\t30\t2\t3\t12.5\t2.5\n"
    f"{IDS[1]}\tMYC\tprotein_coding\t2\t1\t1\t1.5\t.5\n"
)
# Name of the file: text, format, what is read by default, another quantity.
FILES = {
    "a/quant.sf": (SALMON, "salmon", "NumReads", "TPM"),
    "a/quant.genes.sf": (SALMON, "salmon", "NumReads", "tpm"),
    "a/abundance.tsv": (
        lines(
            "target_id length eff_length est_counts tpm",
            f"{IDS[0]} 1500 1300.5 30 12.5",
            f"{IDS[1]} 900 700.5 2 1.5",
        ),
        "kallisto",
        "est_counts",
        "tpm",
    ),
    "a.genes.results": (
        lines(
            "gene_id transcript_id(s) length effective_length expected_count TPM FPKM",
            f"{IDS[0]} T1,T2 100 90 30 12.5 7",
            f"{IDS[1]} T3 100 90 2 1.5 8",
        ),
        "RSEM",
        "expected_count",
        "TPM",
    ),
    "aReadsPerGene.out.tab": (
        lines(
            "N_unmapped 9 9 9",
            "N_multimapping 9 9 9",
            f"{IDS[0]} 30 12.5 1",
            f"{IDS[1]} 2 1.5 1",
        ),
        "STAR counts",
        "unstranded",
        "stranded_first",
    ),
    "a.rna_seq.augmented_star_gene_counts.tsv": (
        GDC,
        "STAR counts",
        "unstranded",
        "tpm_unstranded",
    ),
    "a_gene_abund.tab": (
        "Gene ID\tGene Name\tReference\tStrand\tStart\tEnd\tCoverage\tFPKM\tTPM\n"
        f"{IDS[0]}\tTP53\tchr1\t+\t1\t2\t5\t12.5\t30\n"
        f"{IDS[1]}\tMYC\tchr1\t-\t1\t2\t5\t1.5\t2\n",
        "StringTie",
        "TPM",
        "FPKM",
    ),
    "a/genes.fpkm_tracking": (
        "tracking_id\tclass_code\tnearest_ref_id\tgene_id\tgene_short_name\ttss_id\t"
        "locus\tlength\tcoverage\tFPKM\tFPKM_conf_lo\tFPKM_conf_hi\tFPKM_status\n"
        f"{IDS[0]}\t-\t-\tG1\tTP53\t-\tchr1:1-2\t-\t-\t30\t12.5\t31\tOK\n"
        f"{IDS[1]}\t-\t-\tG2\tMYC\t-\tchr1:1-2\t-\t-\t2\t1.5\t4\tOK\n",
        "Cufflinks",
        "FPKM",
        "FPKM_conf_lo",
    ),
    "a.txt": (
        lines(
            "ID_REF VALUE ABS_CALL DETECTION_P-VALUE",
            f"{IDS[0]} 30 P 12.5",
            f"{IDS[1]} 2 A 1.5",
        ),
        "table of one GEO sample",
        "VALUE",
        "DETECTION_P-VALUE",
    ),
}


def write(tmp_path, name, text):
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.mark.parametrize("name", FILES)
def test_a_quantity_is_read_and_not_four_samples(name, tmp_path):
    text, kind, default, other = FILES[name]
    path = write(tmp_path, name, text)
    sample = name.split(".")[0].removesuffix("ReadsPerGene").split("/")[0]
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        X = read_expression(path)
    assert X.to_dict("index") == {sample: dict(zip(IDS, [30, 2], strict=True))}
    assert X.attrs["source"]["format"] == kind
    said = " ".join(str(warning.message) for warning in found)
    if kind not in ("Cufflinks", "table of one GEO sample"):
        assert f"{default!r} is read" in said
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert read_xena(path).equals(X)
        second = read_expression(path, value_column=other)
    assert second.loc[sample].to_list() == [12.5, 1.5]
    with pytest.raises(ValueError, match=r"has no value_column 'CPM', only"):
        read_expression(path, value_column="CPM")


@pytest.mark.parametrize("header", ["", "gene\ta\n", "\ta\n", "a\n"])
def test_counts_of_one_sample_with_and_without_a_header(header, tmp_path):
    path = write(tmp_path, "a.txt", f"{header}ENSG1\t5\nTP53\t6\n__no_feature\t9\n")
    with pytest.warns(UserWarning, match="left out '__no_feature'"):
        X = read_expression(path)
    assert X.to_dict("index") == {"a": {"ENSG1": 5, "TP53": 6}}


@pytest.mark.parametrize("name", ["STAR", "salmon"])
def test_a_folder_of_samples(name, tmp_path):
    text = GDC if name == "STAR" else SALMON
    for sample, n_reads in (("b", "30"), ("a", "31")):
        file = "star.tsv" if name == "STAR" else "quant.sf"
        file = f"{sample}.{file}" if name == "STAR" else f"{sample}/{file}"
        write(tmp_path, f"in/{file}", text.replace("\t30", f"\t{n_reads}"))
    write(tmp_path, "in/MANIFEST.txt", "id\tfilename\tmd5\n1\tb.star.tsv\tabc\n")
    write(tmp_path, "in/.hidden", "x")
    expected = table([[31, 2], [30, 2]], ["a", "b"], IDS)
    with pytest.warns(UserWarning, match=r"2 files of one sample.*1 others"):
        X = read_expression(tmp_path / "in")
    assert (expected == X).all(axis=None)
    assert list(X.index) == ["a", "b"]
    with pytest.warns(UserWarning, match="2 files"):
        one = read_expression(tmp_path / "in", samples=["b"], genes=[IDS[1]])
    assert one.to_dict("index") == {"b": {IDS[1]: 2}}
    with pytest.warns(UserWarning, match="2 files"):
        mapped = to_memmap(tmp_path / "in", tmp_path / "x.npy")
    assert (expected == mapped).all(axis=None)
    column = "tpm_unstranded" if name == "STAR" else "TPM"
    with pytest.warns(UserWarning, match="2 files"):
        X = read_expression(tmp_path / "in", value_column=column)
    assert X[IDS[0]].to_list() == [12.5, 12.5]


def test_symbols_of_gdc(tmp_path):
    path = write(tmp_path, "a.tsv", GDC)
    with (
        pytest.warns(UserWarning, match="2 genes have no name in column 'gene_name'"),
        pytest.warns(UserWarning, match="'unstranded' is read"),
    ):
        X = read_expression(path, id_column="gene_name")
    assert X.to_dict("index") == {"a": {"TP53": 30, "MYC": 2}}


def test_folders_that_are_refused(tmp_path):
    folder = tmp_path / "in"
    write(folder, "x.txt", "nothing")
    with pytest.raises(ValueError, match="folder without tables of one sample"):
        read_expression(folder)
    write(folder, "a/quant.sf", SALMON)
    write(folder, "b/abundance.tsv", FILES["a/abundance.tsv"][0])
    with pytest.raises(ValueError, match=r"of several kinds: salmon.*kallisto"):
        read_expression(folder)
    (folder / "b/abundance.tsv").unlink()
    write(folder, "b/quant.sf", SALMON.replace(IDS[1], "ENST3"))
    with pytest.raises(ValueError, match="has other genes than"):
        read_expression(folder)
    write(folder, "b/quant.sf", SALMON[:-5])
    with pytest.raises(ValueError, match=r"b/quant\.sf"):
        read_expression(folder)
    (folder / "b/quant.sf").unlink()
    (folder / "b/quant.sf.gz").write_bytes(gzip.compress(SALMON.encode())[:-9])
    with pytest.raises(ValueError, match=r"b/quant\.sf\.gz"):
        read_expression(folder)
