package safetensors

// WriteOn is Write on another disk.
var WriteOn = write
