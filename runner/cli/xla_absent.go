//go:build !xla

package cli

const xlaLinked = false
