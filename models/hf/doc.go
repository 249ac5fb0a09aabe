// Package hf reads and writes model folders in the layouts of the Hugging Face hub: config.json, safetensors weights
// (one file or shards), and sentence-transformers' folders around them.
//
// Contract. Four model types are known: bert, distilbert, roberta, modernbert (Ettin is a modernbert). ParseConfig
// returns a Config whose every field is set and sane, or one error with all faults. Load returns every parameter
// that the config implies, once, under its canonical name and with its shape, as float32. Every tensor of the files
// is either a parameter or on the family's list of tensors to ignore; one error lists all others. There is no partial
// load. Save writes a folder that sentence-transformers loads as a SparseEncoder and transformers as a *ForMaskedLM;
// other programs see the finished folder or none.
//
// Canonical names are those of transformers' *ForMaskedLM classes. The decoder's weight is always under
// Config.DecoderName, even if the file leaves it out because it is tied to the input embeddings. The decoder's
// bias is always under Config.DecoderBiasName, whichever of its two names a file uses. Weight matrices are
// [out, in], as in the files.
package hf
