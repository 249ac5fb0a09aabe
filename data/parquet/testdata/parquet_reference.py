"""Writes the Parquet files of the tests, as the common writer of published sets makes them. The test has the same formulae.

Run with pyarrow installed, in this folder. Values are made up.
"""
import pyarrow as pa
import pyarrow.parquet as pq

texts = ["plain", "with\ttab", "line\nbreak\r\n", "back\\slash \\t", "ünïcode ☃ \U0001f600", "", "\"quoted\""]
n = 300
rows = {
    "query": [texts[i % 7] + str(i // 7) for i in range(n)],
    "positive_id": [2**40 + i for i in range(n)],
    "small": [i - 150 for i in range(n)],
    "score": [(-1) ** i * i / 7.0 for i in range(n)],
    "label": [i / 8.0 for i in range(n)],
    "negatives": [[texts[(i + j) % 7] for j in range(i % 4)] for i in range(n)],
    "scores": [[i + j / 3.0 for j in range(i % 3)] for i in range(n)],
    "ids": [[i, -i] for i in range(n)],
}
types = {
    "query": pa.string(), "positive_id": pa.int64(), "small": pa.int32(), "score": pa.float64(), "label": pa.float32(),
    "negatives": pa.list_(pa.string()), "scores": pa.list_(pa.float64()), "ids": pa.list_(pa.int64()),
}
table = pa.table({name: pa.array(values, types[name]) for name, values in rows.items()})
# Codecs, pages and groups as writers have them: the library's defaults; as `datasets` uploads (groups, page index);
# no dictionary and tiny pages; the newer page format.
pq.write_table(table, "default.parquet")
pq.write_table(table, "groups.parquet", row_group_size=70, write_page_index=True, compression="zstd")
pq.write_table(table, "pages.parquet", use_dictionary=False, data_page_size=64, compression="gzip")
pq.write_table(table, "v2.parquet", data_page_version="2.0", version="2.6", compression="none", row_group_size=128)
pq.write_table(table, "brotli.parquet", compression="brotli", data_page_size=128)
# What is refused.
pq.write_table(pa.table({"query": pa.array(["a", None])}), "null.parquet")
pq.write_table(pa.table({"scores": pa.array([[1.0], [2.0, None]])}), "null_in_list.parquet")
pq.write_table(pa.table({"query": pa.array([{"a": 1, "b": 2}])}), "struct.parquet")
pq.write_table(pa.table({"query": pa.array([True])}), "boolean.parquet")
pq.write_table(pa.table({"query": pa.array([1], pa.uint32())}), "unsigned.parquet")
pq.write_table(pa.table({"score": pa.array([1.0, float("nan")])}), "nan.parquet")
pq.write_table(pa.table({"query": pa.array([b"\xff\xfe"])}), "binary.parquet")
pq.write_table(pa.table({"lists": pa.array([[["a"]]])}), "nested.parquet")
