"""Words that stand above columns, which tell what these hold."""

import re

# Names of columns, in small letters and without other signs, that are no samples.
_IDS = """
    gene geneid genes genename genesymbol symbol symbols hugosymbol hugo hgnc hgncsymbol
    hgncid ensembl ensemblid ensemblgeneid ensg ensgid entrez entrezid entrezgeneid
    entrezgene ncbigeneid ncbigene geneids idref id name names probe probeid probesetid
    probeset targetid featureid feature features transcript transcriptid transcriptids
    transcriptname refseq refseqid unigene unigeneid uniprot accession trackingid
    compositeelementref externalgenename geneshortname generef refgene spotid rowname
    rownames rid clid uid orf locustag genbank gbacc
"""
_ABOUT_GENES = """
    length genelength transcriptlength efflength effectivelength width size exonlength
    chr chrom chromosome seqname seqnames contig start end stop strand position pos
    txstart txend genestart geneend chromstart chromend locus location cytoband band
    map maplocation biotype genebiotype genetype type transcripttype transcriptbiotype
    description genedescription desc definition title genetitle product source feature
    gccontent pergc gweight gorder exoncount nexons exons classcode nearestrefid
    tssid status havanagene taxid species alias aliases synonyms note notes annotation
    wikigene codeclass teststat degreesfree meanobs varobs techvar sigmasq rss
    smoothsigmasq finalsigmasq basemean lfcse stat avgexpr aveexpr logcpm qvalue
    bonferroni coverage
"""
_ABOUT_SAMPLES = """
    age sex gender stage grade status batch os ostime osevent osmonths osstatus dfs
    pfs rfs event time survival cancertype tumortype tissue histology diagnosis group
    subtype race ethnicity center platform label class condition treatment bmi
    purity ploidy days daystodeath height weight smoking
"""
# Of all samples in one, as spreadsheets add.
_SUMMARIES = """
    total totals grandtotal sum rowsum rowsums rowtotal mean rowmean rowmeans average
    avg median rowmedian stdev stddev std variance
"""
_SUMMARY = re.compile(
    rf"(?:{'|'.join(_SUMMARIES.split())})"
    r"|(?:mean|median|average|avg)(?:expr|expression|tpm|fpkm|rpkm|cpm|counts?)"
)
FOLD_CHANGE = re.compile(r"(?:log|log2|ln)fc$|foldchange$")
# Of names that begin or end in those of samples, or of other columns.
_PARTS = re.compile(
    r"entrez|ensembl|hugo|hgnc|ncbigene|geneids?(?:ncbi)?$|genename|genesymbol|genelength"
    r"|^(?:gene|transcript|exonic?|tx|cds|eff|effective|median)?length(?:in)?(?:bp|kb)?$"
    r"|pvalue|[pq]val(?:adj)?$|padj(?:ust(?:ed)?)?$|adjp$|fdr$|conf(?:lo|hi)$|detection$|abscall$"
    r"|nbeads$|beadstd(?:err|ev)$"
)
_IDS_OF_SAMPLES = """
    sample samples sampleid sampleids samplename patient patientid patients barcode
    barcodes case caseid subject subjectid cellline celllinename depmapid modelid
    broadid submitterid bcrpatientbarcode individual individualid participant
    participantid geoaccession run runid array arrayid
"""
# Names that are made of these words alone, and of one at least of the second kind,
# describe genes: exonic.gene.sizes, percentage_gene_gc_content.
_ANY_PART = frozenset(
    """
    gene genes tx cdna start end stop begin pos num number no n of in bp kb id ids
    name names content percent percentage pct type source level mean total
    """.split()
)
_PART_ABOUT_GENES = frozenset(
    """
    exon exons exonic intron introns cds utr chromosome chrom chr loc len length
    lengths version mark marks seg size sizes width position positions gc biotype
    strand transcript transcripts entrez
    entrezgene ensembl hgnc ncbi uniprot refseq wikigene kegg omim
    """.split()
)
_COUNTED = {"count", "counts"}  # of exons and transcripts, not of reads
_COUNTABLE = {"exon", "exons", "transcript", "transcripts", "intron", "introns"}
_REPEATED = re.compile(r"\.\d+$")  # a name that occurred twice, in R and pandas
_PART = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_NORMAL = re.compile(r"[^a-z0-9]")
IDS, _GENES, _SAMPLES, IDS_OF_SAMPLES = (
    frozenset(text.split())
    for text in (_IDS, _ABOUT_GENES, _ABOUT_SAMPLES, _IDS_OF_SAMPLES)
)


def normal(name):
    """Return a name of a column in small letters, without other signs."""
    if name.startswith("Unnamed: "):
        return ""
    return _NORMAL.sub("", name.lower())


def names_ids(name):
    """Tell whether a column of this name has ids of genes, or describes them."""
    if "|" in name:
        return False  # two ids of a gene
    name = _REPEATED.sub("", name)
    if _is_made_of_words(name):
        return True
    name = normal(name)
    describes = name in IDS or name in _GENES or _PARTS.search(name)
    return bool(describes or FOLD_CHANGE.search(name))


def _is_made_of_words(name):
    parts = {part.lower() for part in _PART.findall(name)}
    if len(parts) < 2:
        return False
    if parts & _COUNTED and not parts & _COUNTABLE:
        return False
    rest = parts - _ANY_PART - _COUNTED
    return bool(rest) and rest <= _PART_ABOUT_GENES


def names_lines(name):
    """Tell whether a column of this name has ids of genes or of samples."""
    return names_ids(name) or normal(name) in IDS_OF_SAMPLES


def says_of_samples(name):
    """Tell whether a column of this name describes samples."""
    return normal(name) in _SAMPLES


def sums_up(name):
    """Tell whether a name is that of a sum or a mean over samples, or over genes."""
    return _SUMMARY.fullmatch(normal(name)) is not None
