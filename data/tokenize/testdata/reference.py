"""Makes the reference values of data/tokenize with the reference library (Hugging Face tokenizers).

    python data/tokenize/testdata/reference.py [DATA]

It builds two small tokenizer.json files, variants of them that cover the other components, and encodes texts that
generator.json describes and the Go tests generate alike. Of each text's ids only a digest of three bytes is kept.
DATA is the folder that HEADROOM_DATA names; with it the real tokenizers' digests are made too. trained.json is written
by the Go test (go test -run Trained -update) and only read here.
"""

import copy
import hashlib
import json
import os
import struct
import sys

import tokenizers
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "reference")
COUNT, VARIANT_COUNT = 10000, 600
LIMITS = [0, 0, 0, 2, 3, 7, 12, 40]  # the length limit of text i is LIMITS[i % 8]; 0 is none

FRAGMENTS = """the of and heart attack hypertension ModernBERT SPLADE unaffable Untersuchung naïve café Ångström résumé
e-mail U.S.A. don't I'm they've we'll he'd IT'S 'tis o'clock rock'n'roll 3.14159 1,000,000 2024-01-31 50% $9.99 #tag
@user https://example.org/a?b=c&d=e foo_bar snake_case camelCase C++ (x) [y] {z} <b> a/b\\c ... !!! ?! — – “quoted” ‘x’
[MASK] [CLS] [SEP] [PAD] [UNK] [mask] [Mask] [MASK][MASK] [MAS K] [unused1] <|x|> <|x|><|x|> <|X|> tok Tok TOK token tok.
Straße ẞ İstanbul ıI ǅ ǆ ŉ ﬁ ﬃ Σίσυφος ΌΣΟΣ σς Ω Å K Ｆｕｌｌ ½ ² Ⅷ ① ﷺ Москва нещо Българскı שָׁלוֹם مَرْحَبًا العربية हिन्दी
क्षि ไทย தமிழ் 中文 日本語テスト 한국어 각 각 각 가 ㍻ ㄱ 𝔘𝔫𝔦 𠀀𪛕 豈 豈 ō ō̈ ǭ ạ̄ ạ̄ é é ệ ệ ấ ʼn ΅ ; ` Ω ≠ ≠
😀 👍🏽 👨‍👩‍👧‍👦 🏳️‍🌈 🇩🇪 ❤️ ☃ ✅ 1️⃣ ⟨⟩ ₿ ™ ℃ ¿ ¡ § ¶ · • … ‰ ′ ″ ⁂ ₂ ª º""".split()
FRAGMENTS += [
    "a\u00adb", "soft\u00adhyphen", "a\u200bb", "a\u200db", "a\u200cb", "\ufeff", "\u2060", "x\u2028y", "x\u2029y", "\u0085",
    "\u00a0", "\u3000", "\u1680", "\u180e", "\u202e", "\u0000", "\u0001", "\u007f", "\ufffd", "\ufffe", "\ue000", "\U000e0041",
    "\u0345", "\u0344", "\u0340", "\u0f73", "\u0f75", "\u302e", "\u302f", "\u302e\u302f", "\u302f\u0301", "\u0598\u0897",
    "\u08ca\u0301", "\U0001d15f", "\U0001d165\U0001d16d", "\U0001d16d\U0001d165", "\u0cca\u0cd5", "\u1b06", "\u0dde",
    "\U000105d2\u0307", "\U000105c9", "\U00011938", "\U00011935\U00011930", "\U0001611e\U0001611e", "\u0958", "\u2adc", "\u0061\u0315\u0300\u05ae",
    "\u1100\u1161\u11a8", "\uac00\u11a8", "\u1112\u1161", "\u11a7", "\uac00\u11a7", "\uac00\u11a7\u11a8", "\u1161", "\t", "\n", "\r\n", " \n", "\n ", "  ", "   ", "          ", "\v\f", "\u001c",
    " 's", "'S", "''s", " ' s", "'re", "'RE", "'l", "'ll", "'lll", "'v", "'ve", " [MASK]", "[MASK] ", "  [MASK]  ", " <|x|> ",
    "\n<|x|>\n", "<|x|>   ", "tok   tok", "tok  [MASK]", "<|x|>  <|x|>", "a<|x|>b", "_tok_", " tok ", "tok\u0301", "e\u0301tok", "word tok word", "ｔｏｋ", "\u2028[MASK]\u2028",
]
SEPARATORS = ["", " ", " ", " ", ",", ". ", "\n", "\t", "-", "  ", "\u00a0", "\u200b"]
RANGES = [
    (0x20, 0x7E), (0x20, 0x7E), (0x41, 0x5A), (0x61, 0x7A), (0x30, 0x39), (0x00, 0x1F), (0x7F, 0x9F), (0xA0, 0xFF), (0x100, 0x24F),
    (0x250, 0x2FF), (0x300, 0x36F), (0x370, 0x3FF), (0x400, 0x52F), (0x530, 0x5FF), (0x600, 0x6FF), (0x700, 0x8FF), (0x900, 0xDFF),
    (0xE00, 0x10FF), (0x1100, 0x11FF), (0x1200, 0x17FF), (0x1800, 0x1CFF), (0x1AB0, 0x1AFF), (0x1D00, 0x1DFF), (0x1E00, 0x1FFF),
    (0x2000, 0x206F), (0x2070, 0x2BFF), (0x2C00, 0x2FFF), (0x3000, 0x30FF), (0x3100, 0x33FF), (0x4E00, 0x9FFF), (0xA000, 0xABFF),
    (0xAC00, 0xD7FF), (0xE000, 0xF8FF), (0xF900, 0xFAFF), (0xFB00, 0xFFFF), (0x10000, 0x11FFF), (0x12000, 0x16FFF), (0x1B000, 0x1CFFF),
    (0x1D000, 0x1D7FF), (0x1D800, 0x1EFFF), (0x1F000, 0x1FAFF), (0x1FB00, 0x33FFF), (0xE0000, 0xE01EF), (0xF0000, 0x10FFFF), (0x0, 0xD7FF),
]
MARKS = [(0x300, 0x36F), (0x591, 0x5BD), (0x64B, 0x65F), (0x1AB0, 0x1AEB), (0x1DC0, 0x1DFF), (0x20D0, 0x20F0), (0xFE20, 0xFE2F), (0x302A, 0x302F), (0x1D165, 0x1D1AD)]


class Random:
    """SplitMix64: the Go tests have the same."""

    def __init__(self, seed):
        self.state = seed

    def below(self, n):
        mask = (1 << 64) - 1
        self.state = (self.state + 0x9E3779B97F4A7C15) & mask
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        return (z ^ (z >> 31)) % n


def generate(seed):
    """Returns the bytes of text number seed."""
    rng = Random(seed)
    kind = rng.below(16)
    if kind == 15:  # any bytes
        return bytes(97 + rng.below(26) if rng.below(3) == 0 else rng.below(256) for _ in range(rng.below(40)))
    if kind == 14:  # a long word
        out = FRAGMENTS[rng.below(len(FRAGMENTS))] * (2 + rng.below(120))
        return (out + FRAGMENTS[rng.below(len(FRAGMENTS))]).encode()
    if kind == 13:  # marks upon marks
        low, high = RANGES[rng.below(len(RANGES))]
        out = character(rng, low, high)
        for _ in range(rng.below(80)):
            low, high = MARKS[rng.below(len(MARKS))]
            out += character(rng, low, high)
        return out.encode()
    out = ""
    for _ in range(1 + rng.below(12)):
        if rng.below(3) == 0:
            low, high = RANGES[rng.below(len(RANGES))]
            for _ in range(1 + rng.below(6)):
                out += character(rng, low, high)
        else:
            out += FRAGMENTS[rng.below(len(FRAGMENTS))]
        out += SEPARATORS[rng.below(len(SEPARATORS))]
    return out.encode()


def character(rng, low, high):
    code = low + rng.below(high - low + 1)
    return "\ufffd" if 0xD800 <= code <= 0xDFFF else chr(code)


def digests(spec, count):
    tokenizer = Tokenizer.from_str(json.dumps(spec))
    special = tokenizer.num_special_tokens_to_add(False)
    out = b""
    for index in range(count):
        limit = LIMITS[index % len(LIMITS)]
        if limit == 0 or limit < special:
            tokenizer.no_truncation()
        else:
            tokenizer.enable_truncation(limit)
        ids = tokenizer.encode(generate(index).decode("utf-8", "replace")).ids
        out += hashlib.sha256(struct.pack("<%di" % len(ids), *ids)).digest()[:3]
    return out


def added(id, content, **flags):
    token = {"id": id, "content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": False}
    token.update(flags)
    return token


def corpus():
    """Words with their usual spaces; random code points would only spoil the small vocabularies."""
    rng = Random(1 << 40)
    words = [f for f in FRAGMENTS if f.isprintable() and " " not in f and "[" not in f and "|" not in f]
    return [" ".join(words[rng.below(1 + rng.below(len(words)))] for _ in range(12)) for _ in range(3000)]


def small_wordpiece():
    """Its vocabulary is cut from the corpus by a fixed rule: the library's own trainer numbers pieces by chance."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    normalizer, splitter = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    words = sorted({w for text in corpus() for w, _ in splitter.pre_tokenize_str(normalizer.normalize_str(text))} | {"tok"})
    pieces = set()
    for index, word in enumerate(words):
        pieces.update([word[0], word[:2], word[:4]] + ["##" + c for c in word[1:]] + ["##" + word[2:4], "##" + word[4:7]])
        if index % 3 or len(word) < 4:
            pieces.add(word)
        if index % 5 == 0:  # some words cannot be cut
            pieces.discard("##" + word[-1])
    vocab = {token: index for index, token in enumerate(special + sorted(pieces - {"##"}))}
    spec = json.loads(Tokenizer(models.WordPiece(vocab, unk_token="[UNK]", max_input_chars_per_word=100)).to_str())
    spec["added_tokens"] = [added(i, s, special=True) for i, s in enumerate(special)]
    spec["normalizer"] = {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True}
    spec["pre_tokenizer"] = {"type": "BertPreTokenizer"}
    spec["post_processor"] = template("[CLS]", 2, "[SEP]", 3)
    spec["decoder"] = {"type": "WordPiece", "prefix": "##", "cleanup": True}
    return spec


def template(cls, cls_id, sep, sep_id):
    a, b = ({"SpecialToken": {"id": t, "type_id": 0}} for t in (cls, sep))
    text = {"Sequence": {"id": "A", "type_id": 0}}
    second = [{"Sequence": {"id": "B", "type_id": 1}}, {"SpecialToken": {"id": sep, "type_id": 1}}]
    tokens = {t: {"id": t, "ids": [i], "tokens": [t]} for t, i in ((cls, cls_id), (sep, sep_id))}
    return {"type": "TemplateProcessing", "single": [a, text, b], "pair": [a, text, b] + second, "special_tokens": tokens}


def small_bpe():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(corpus(), trainers.BpeTrainer(vocab_size=1000, initial_alphabet=alphabet, show_progress=False))
    spec = json.loads(tokenizer.to_str())
    spec["model"]["merges"] = [" ".join(pair) for pair in spec["model"]["merges"]]
    size = len(spec["model"]["vocab"])
    spec["added_tokens"] = [
        added(size, "[CLS]", special=True), added(size + 1, "[SEP]", special=True), added(size + 2, "[PAD]", special=True),
        added(size + 3, "[MASK]", special=True, lstrip=True), added(size + 4, "  ", normalized=True),
        added(size + 5, "   ", normalized=True), added(size + 6, "          ", normalized=True), added(size + 7, "[UNK]", special=True),
        added(size + 8, "<|x|>", normalized=True),
        added(spec["model"]["vocab"]["tok"], "tok", normalized=True, single_word=True),
    ]
    spec["post_processor"] = template("[CLS]", size, "[SEP]", size + 1)
    spec["decoder"] = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}
    return spec


def variants(wordpiece, bpe):
    """Changes of single members of the two files, as [name, base, {path: value}]."""
    bert = dict(wordpiece["normalizer"])
    sequence = lambda kind, key, parts: {"type": kind, key: parts}
    pre = lambda *parts: {"pre_tokenizer": sequence("Sequence", "pretokenizers", list(parts))}
    norm = lambda *parts: {"normalizer": sequence("Sequence", "normalizers", list(parts))}
    size = len(wordpiece["model"]["vocab"])
    extra = [
        added(wordpiece["model"]["vocab"]["tok"], "tok", normalized=True, single_word=True), added(size, "<|x|>", rstrip=True),
        added(size + 1, "é", normalized=True), added(wordpiece["model"]["vocab"]["'"], "'", lstrip=True, rstrip=True),
        added(size + 2, "donn", single_word=True), added(size + 3, "attack heart", normalized=True, lstrip=True, rstrip=True),
    ]
    simple = lambda kind: {"type": kind}
    level = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}
    bsize = len(bpe["model"]["vocab"])
    pairs = [merge.split(" ") for merge in bpe["model"]["merges"]]
    cased = {**bert, "lowercase": False}
    cls = wordpiece["model"]["vocab"]["[CLS]"]
    sep = wordpiece["model"]["vocab"]["[SEP]"]
    return [
        ["bert keeps case", "wordpiece", {"normalizer": cased}],
        ["bert strips accents of cased text", "wordpiece", {"normalizer": {**cased, "strip_accents": True}}],
        ["bert lowers and keeps accents", "wordpiece", {"normalizer": {**bert, "strip_accents": False}}],
        ["bert does not clean", "wordpiece", {"normalizer": {**bert, "clean_text": False}}],
        ["bert does not clean nor part Chinese", "wordpiece", {"normalizer": {**bert, "clean_text": False, "handle_chinese_chars": False}}],
        ["no normalizer", "wordpiece", {"normalizer": None}],
        ["no pre-tokenizer", "wordpiece", {"pre_tokenizer": None}],
        ["short words only", "wordpiece", {"model.max_input_chars_per_word": 6}],
        ["added tokens of all kinds", "wordpiece", {"added_tokens": wordpiece["added_tokens"] + extra}],
        ["normalizers in sequence", "wordpiece", norm(simple("NFD"), simple("Lowercase"), simple("StripAccents"))],
        ["compatibility forms", "wordpiece", norm(simple("NFKC"), simple("Lowercase"))],
        ["compatibility forms, decomposed", "wordpiece", norm(simple("NFKD"), {"type": "Strip", "strip_left": True, "strip_right": True})],
        ["replace and prepend", "wordpiece", norm({"type": "Prepend", "prepend": "the "}, {"type": "Replace", "pattern": {"String": "aa"}, "content": "a b"}, bert)],
        ["white space only", "wordpiece", {"pre_tokenizer": simple("WhitespaceSplit")}],
        ["word runs", "wordpiece", {"pre_tokenizer": simple("Whitespace")}],
        ["digits one by one", "wordpiece", pre(simple("BertPreTokenizer"), {"type": "Digits", "individual_digits": True})],
        ["digits in runs", "wordpiece", pre(simple("WhitespaceSplit"), {"type": "Digits", "individual_digits": False})],
        ["punctuation in runs", "wordpiece", pre(simple("WhitespaceSplit"), {"type": "Punctuation", "behavior": "Contiguous"})],
        ["punctuation removed", "wordpiece", pre(simple("WhitespaceSplit"), {"type": "Punctuation", "behavior": "Removed"})],
        ["bert processor", "wordpiece", {"post_processor": {"type": "BertProcessing", "sep": ["[SEP]", sep], "cls": ["[CLS]", cls]}}],
        ["no template", "wordpiece", {"post_processor": None}],
        ["an empty prefix", "wordpiece", {"model.continuing_subword_prefix": ""}],
        ["added tokens that take spaces", "bpe", {"added_tokens": bpe["added_tokens"][:-2] + [
            added(bsize + 8, "<|x|>", lstrip=True, rstrip=True), added(bsize + 9, "    ", normalized=True, rstrip=True, lstrip=True),
            {**bpe["added_tokens"][-1], "rstrip": True, "lstrip": True}]}],
        ["prefix space", "bpe", {"pre_tokenizer": level}],
        ["no pattern", "bpe", {"pre_tokenizer": {**level, "use_regex": False}}],
        ["digits before bytes", "bpe", pre({"type": "Digits", "individual_digits": True}, {**level, "add_prefix_space": False})],
        ["merges as pairs", "bpe", {"model.merges": pairs}],
        ["whole tokens before merges", "bpe", {"model.ignore_merges": True, "model.merges": pairs[: len(pairs) // 2]}],
        ["no normal form", "bpe", {"normalizer": None}],
        ["compatibility form of bytes", "bpe", {"normalizer": simple("NFKC")}],
        ["roberta processor", "bpe", {"post_processor": {"type": "RobertaProcessing", "sep": ["[SEP]", bsize + 1], "cls": ["[CLS]", bsize], "trim_offsets": True, "add_prefix_space": True}}],
        ["processors in sequence", "bpe", {"post_processor": sequence("Sequence", "processors", [{"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": False, "use_regex": True}, bpe["post_processor"]])}],
    ]


def changed(base, changes):
    spec = copy.deepcopy(base)
    for path, value in changes.items():
        *parents, last = path.split(".")
        target = spec
        for parent in parents:
            target = target[parent]
        target[last] = value
    return spec


def real(path):
    """A file whose added tokens the library would renumber is given them in its vocabulary, with the ids it states."""
    with open(path, encoding="utf-8") as file:
        spec = json.load(file)
    for token in spec["added_tokens"]:
        spec["model"]["vocab"].setdefault(token["content"], token["id"])
    return spec


def write(name, data):
    if not isinstance(data, bytes):
        data = (json.dumps(data, ensure_ascii=False, separators=(",", ":")) + "\n").encode()
    with open(os.path.join(HERE, name), "wb") as file:
        file.write(data)


def main():
    write("generator.json", {
        "library": "tokenizers " + tokenizers.__version__, "count": COUNT, "variant_count": VARIANT_COUNT, "limits": LIMITS,
        "fragments": FRAGMENTS, "separators": SEPARATORS, "ranges": RANGES, "marks": MARKS,
        "check": hashlib.sha256(b"\n".join(generate(i) for i in range(COUNT))).hexdigest(),
    })
    bases = {"wordpiece": small_wordpiece(), "bpe": small_bpe()}
    for name, spec in bases.items():
        write(name + ".json", spec)
        write(name + ".digests", digests(spec, COUNT))
    listed = variants(bases["wordpiece"], bases["bpe"])
    write("variants.json", [{"name": name, "base": base, "changes": changes} for name, base, changes in listed])
    write("variants.digests", b"".join(digests(changed(bases[base], changes), VARIANT_COUNT) for _, base, changes in listed))
    trained = os.path.join(HERE, "trained.json")
    if os.path.exists(trained):
        with open(trained, encoding="utf-8") as file:
            write("trained.digests", digests(json.load(file), COUNT))
    if len(sys.argv) > 1:
        for name in ("bert-base-uncased", "modernbert"):
            write(name + ".digests", digests(real(os.path.join(sys.argv[1], "tokenizers", name, "tokenizer.json")), COUNT))


if __name__ == "__main__":
    main()
