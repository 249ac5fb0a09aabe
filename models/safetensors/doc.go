// Package safetensors reads and writes files of named tensors in the safetensors format: eight bytes of header
// length, a JSON header, then one contiguous block of little-endian data.
//
// Contract. Open maps the file and checks the whole header before anything is handed out: the file is as long as the
// header says, the tensors cover its data without gap or overlap, every shape times its type's size is its byte
// count, no name occurs twice. What Open accepts, every read can serve. Readers return copies, so they stay valid
// after Close. Write never leaves a half-written file under the final name, and equal input gives equal bytes.
//
// A File may be read from several goroutines; Close must come after the last read.
package safetensors
