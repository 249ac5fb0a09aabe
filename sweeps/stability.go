package sweeps

// StabilityDefaults never stops a run.
func StabilityDefaults() StabilityConfig { return StabilityConfig{} }

func stabilityRules() []rule { return []rule{flag("stability.stop")} }
