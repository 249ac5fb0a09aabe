//go:build xla

package engine

import _ "github.com/gomlx/go-xla/compute/xla" // loads a PJRT plugin; installs nothing

const xlaLinked = true
