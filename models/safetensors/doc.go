// Package safetensors reads and writes files of named tensors in the safetensors format: eight bytes of header
// length, a JSON header, then one contiguous block of little-endian data.
//
// Contract. Open maps the file and checks the whole header: the file is as long as the header says, the tensors cover
// its data without gap or overlap, a tensor's byte count is its shape times the size of its type, no name occurs twice.
// Every tensor of a file that Open accepts can be read. Readers return copies, which stay valid after Close. Write never
// leaves a half-written file under the final name, and equal input gives equal bytes.
//
// A File may be read from several goroutines; Close must come after the last read.
package safetensors
