"""The tiny models of the reference: which family, which shape, which trap each one sets.

Seeds are chosen among a few so that float32 PyTorch itself stays well below the comparison's bound: random weights
now and then make a quantity that no float32 program computes to five digits.
"""

from dataclasses import dataclass


@dataclass
class Case:
    name: str
    family: str  # bert, distilbert, roberta, electra, modernbert
    config: dict  # arguments of the family's transformers config class
    lengths: list[int]  # tokens of each text; the batch is padded to the longest
    tie: bool
    seed: int
    why: str
    dtype: str = "F32"  # of the stored weights
    legacy: bool = False  # LayerNorm.gamma/beta instead of weight/bias
    shard_bytes: int = 0  # > 0: stored in shards of at most about this size
    old_config: bool = False  # modernbert: three theta/every fields instead of rope_parameters and layer_types
    embedding_std: float = 0.06
    pads_in_texts: bool = False  # texts spell out the padding token


def rope(full: float, sliding: float) -> dict:
    return {
        "full_attention": {"rope_type": "default", "rope_theta": full},
        "sliding_attention": {"rope_type": "default", "rope_theta": sliding},
    }


CASES = [
    Case(
        "bert-tied", "bert",
        dict(vocab_size=67, hidden_size=24, num_hidden_layers=2, num_attention_heads=3, intermediate_size=40,
             max_position_embeddings=32, type_vocab_size=2, layer_norm_eps=1e-12),
        [19, 7, 2, 13], True, 101, "the common shape, with the legacy LayerNorm names of google-bert", legacy=True,
    ),
    Case(
        "bert-untied", "bert",
        dict(vocab_size=71, hidden_size=20, num_hidden_layers=3, num_attention_heads=5, intermediate_size=33,
             max_position_embeddings=21, type_vocab_size=1, layer_norm_eps=1e-3),
        [21, 1, 11], False, 102, "own decoder, two different decoder biases, odd widths, text as long as the table",
    ),
    Case(
        "bert-tanh", "bert",
        dict(vocab_size=41, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=24,
             max_position_embeddings=16, type_vocab_size=2, hidden_act="gelu_new"),
        [9, 5], True, 103, "the tanh form of GELU",
    ),
    Case(
        "distilbert-tied", "distilbert",
        dict(vocab_size=61, dim=24, n_layers=2, n_heads=4, hidden_dim=36, max_position_embeddings=24),
        [17, 6, 3], True, 201, "no token types, epsilon fixed in the architecture",
    ),
    Case(
        "distilbert-untied", "distilbert",
        dict(vocab_size=53, dim=18, n_layers=3, n_heads=3, hidden_dim=29, max_position_embeddings=15),
        [15, 10, 4, 1], False, 202, "own decoder, weights stored as F16", dtype="F16",
    ),
    Case(
        "roberta-tied", "roberta",
        dict(vocab_size=59, hidden_size=24, num_hidden_layers=2, num_attention_heads=2, intermediate_size=44,
             max_position_embeddings=26, type_vocab_size=1, layer_norm_eps=1e-5, pad_token_id=1),
        [18, 5, 12], True, 302, "positions from pad_token_id + 1",
    ),
    Case(
        "roberta-untied", "roberta",
        dict(vocab_size=47, hidden_size=20, num_hidden_layers=2, num_attention_heads=4, intermediate_size=31,
             max_position_embeddings=23, type_vocab_size=1, layer_norm_eps=1e-4, pad_token_id=3, hidden_act="relu"),
        [17, 9, 1], False, 312, "another pad id, ReLU in the blocks while the head keeps GELU, weights stored as BF16",
        dtype="BF16",
    ),
    Case(
        "roberta-pad", "roberta",
        dict(vocab_size=41, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=28,
             max_position_embeddings=20, type_vocab_size=1, layer_norm_eps=1e-5, pad_token_id=1),
        [13, 6, 3], True, 321, "texts that spell out the padding token, which takes no position number", pads_in_texts=True,
    ),
    Case(
        "electra-tied", "electra",
        dict(vocab_size=57, embedding_size=14, hidden_size=24, num_hidden_layers=2, num_attention_heads=3,
             intermediate_size=34, max_position_embeddings=24, type_vocab_size=2),
        [16, 6, 2], True, 501, "ELECTRA's generator: embeddings narrower than the layers, a head that goes back to their width",
    ),
    Case(
        "electra-untied", "electra",
        dict(vocab_size=43, embedding_size=18, hidden_size=18, num_hidden_layers=2, num_attention_heads=2,
             intermediate_size=30, max_position_embeddings=20, type_vocab_size=1, layer_norm_eps=1e-4, hidden_act="relu"),
        [14, 9, 1], False, 502, "no projection where the widths are equal; ReLU in the blocks, GELU in the head",
    ),
    Case(
        "modernbert-tied", "modernbert",
        dict(vocab_size=67, hidden_size=24, num_hidden_layers=4, num_attention_heads=3, intermediate_size=20,
             max_position_embeddings=64, local_attention=8, norm_eps=1e-5, pad_token_id=2,
             rope_parameters=rope(160000.0, 10000.0)),
        [23, 9, 3, 14], True, 401, "the older config form; layers 0 and 3 global, window 4 to each side", old_config=True,
    ),
    Case(
        "modernbert-untied", "modernbert",
        dict(vocab_size=61, hidden_size=20, num_hidden_layers=4, num_attention_heads=5, intermediate_size=27,
             max_position_embeddings=40, local_attention=7, norm_eps=1e-3, pad_token_id=0,
             rope_parameters=rope(700.0, 30.0),
             layer_types=["sliding_attention", "full_attention", "full_attention", "sliding_attention"],
             norm_bias=True, attention_bias=True, mlp_bias=True, classifier_bias=True),
        [21, 5, 1], False, 404, "layer_types and rope_parameters, every bias, an odd window, stored in shards",
        shard_bytes=20_000,
    ),
    Case(
        "modernbert-window", "modernbert",
        dict(vocab_size=37, hidden_size=16, num_hidden_layers=3, num_attention_heads=2, intermediate_size=12,
             max_position_embeddings=256, local_attention=128, norm_eps=1e-5, pad_token_id=0,
             rope_parameters=rope(160000.0, 160000.0), decoder_bias=False),
        [149, 70], True, 403, "the real window of 64 to each side and Ettin's equal thetas, texts beyond 65 tokens",
    ),
]
