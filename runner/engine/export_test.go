package engine

// Explain and CUDAFlags are tested with messages and folders that no machine at hand has.
var (
	Explain   = explain
	CUDAFlags = cudaFlags
)
