//go:build xla

package cli

const xlaLinked = true
