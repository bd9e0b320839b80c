"""What RALLRec prints, by dataset: tables 1, 3 and 4 (AUC, log loss, accuracy).

Paper: RALLRec (WWW 2025 companion, arXiv 2502.06101). Log losses of rows with a language model come from the
published code's double softmax; those of ID-based rows are plain.
"""

from __future__ import annotations

from rec_core.studies.readings import PUBLISHED_LOSS

Printed = dict[str, dict[str, tuple[float, float, float]]]

TABLE_1: Printed = {
    "bookcrossing": {
        "DeepFM": (0.5480, 0.8521, 0.5212),
        "xDeepFM": (0.5541, 0.9088, 0.5304),
        "DCN": (0.5532, 0.9356, 0.5189),
        "AutoInt": (0.5478, 0.9854, 0.5246),
        "zero-shot": (0.5894, 0.6839, 0.5418),
        "ReLLa": (0.7125, 0.6458, 0.6368),
        "Hybrid-Score": (0.7096, 0.6409, 0.6334),
        "RALLRec": (0.7151, 0.6359, 0.6483),
    },
    "ml-1m": {
        "DeepFM": (0.7184, 0.6205, 0.6636),
        "xDeepFM": (0.7199, 0.6210, 0.6696),
        "DCN": (0.7212, 0.6164, 0.6681),
        "AutoInt": (0.7138, 0.6224, 0.6613),
        "zero-shot": (0.5865, 0.6853, 0.5591),
        "ReLLa": (0.7524, 0.6182, 0.6804),
        "Hybrid-Score": (0.7646, 0.6149, 0.6843),
        "RALLRec": (0.7772, 0.6102, 0.6904),
    },
    "amazon": {
        "DeepFM": (0.6419, 0.8281, 0.7760),
        "xDeepFM": (0.6395, 0.8055, 0.7711),
        "DCN": (0.6369, 0.7873, 0.7744),
        "AutoInt": (0.6424, 0.7640, 0.7543),
        "zero-shot": (0.7025, 0.7305, 0.4719),
        "ReLLa": (0.8401, 0.5074, 0.8224),
        "Hybrid-Score": (0.8405, 0.5065, 0.8256),
        "RALLRec": (0.8463, 0.4914, 0.8280),
    },
}
TABLE_3: Printed = {
    "bookcrossing": {
        "RALLRec": (0.7151, 0.6359, 0.6483),
        "w/o data augmentation": (0.7108, 0.6460, 0.6460),
        "w/o retrieval": (0.6960, 0.6425, 0.6414),
        "w/o instruction tuning": (0.5857, 0.6860, 0.5441),
    },
    "ml-1m": {
        "RALLRec": (0.7772, 0.6102, 0.6904),
        "w/o data augmentation": (0.7563, 0.6394, 0.6452),
        "w/o retrieval": (0.7687, 0.6199, 0.6697),
        "w/o instruction tuning": (0.5865, 0.6853, 0.5591),
    },
    "amazon": {
        "RALLRec": (0.8463, 0.4914, 0.8280),
        "w/o data augmentation": (0.8453, 0.4978, 0.8226),
        "w/o retrieval": (0.8404, 0.5037, 0.8194),
        "w/o instruction tuning": (0.7120, 0.7272, 0.4765),
    },
}
TABLE_4: Printed = {
    "bookcrossing": {
        "text": (0.7034, 0.6434, 0.6426),
        "ID": (0.7084, 0.6414, 0.6357),
        "concatenation w/o alignment": (0.7127, 0.6411, 0.6391),
        "concatenation w/ alignment": (0.7141, 0.6413, 0.6471),
    },
    "ml-1m": {
        "text": (0.7583, 0.6188, 0.6798),
        "ID": (0.7580, 0.6153, 0.6867),
        "concatenation w/o alignment": (0.7633, 0.6153, 0.6828),
        "concatenation w/ alignment": (0.7653, 0.6144, 0.6850),
    },
    "amazon": {
        "text": (0.8408, 0.4931, 0.8222),
        "ID": (0.8431, 0.4930, 0.8244),
        "concatenation w/o alignment": (0.8439, 0.4925, 0.8244),
        "concatenation w/ alignment": (0.8442, 0.4924, 0.8269),
    },
}


def printed(table: Printed, data: str, label: str, double_softmax: bool = True) -> dict[str, float]:
    """Return what a table prints for a dataset's row, by metric; {} where the paper has no such row.

    Args:
        table: one of the tables here.
        data: the dataset's name; "amazon-..." counts as the paper's Amazon.
        label: the row.
        double_softmax: whether the row's log loss is the published kind.
    """
    rows = next((rows for name, rows in table.items() if data == name or data.startswith(f"{name}-")), {})
    if label not in rows:
        return {}
    auc, loss, accuracy = rows[label]
    return {"auc": auc, PUBLISHED_LOSS if double_softmax else "log_loss": loss, "accuracy": accuracy}
