package store

import "syscall"

// writable reports whether a folder can be written. The system also knows which file
// systems are mounted read-only.
func writable(folder string) bool { return syscall.Access(folder, 2 /* W_OK */) == nil }

// network reports whether a folder is on a file system on which several machines, or a
// server, may see SQLite's locks and shared memory differently.
func network(folder string) bool {
	var s syscall.Statfs_t
	if err := syscall.Statfs(folder, &s); err != nil {
		return false
	}
	switch uint32(s.Type) {
	case 0x6969, // NFS
		0xff534d42, 0xfe534d42, 0x517b, // CIFS, SMB 2, SMB
		0x65735546,             // FUSE: sshfs and its like
		0x01021997,             // 9p
		0x0bd00bd0, 0x47504653, // Lustre, GPFS
		0x19830326, 0x00c36400, // BeeGFS, Ceph
		0x5346414f: // AFS
		return true
	}
	return false
}
