package checkpoint

// SaveOn is Save on another disk.
var SaveOn = save
