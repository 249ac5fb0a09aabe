//go:build goexperiment.simd

#include "textflag.h"

// Products of bytes are not in simd/archsimd, so these two loops are assembly.
// For each group of four rows they walk the words of the rows and of the panel,
// keep the sums in registers and raise the running maxima by them at the end.

// func bytes4x32(tokens, rows *word, words, groups int, best *[16]int32)
TEXT ·bytes4x32(SB), NOSPLIT, $0-40
	MOVQ tokens+0(FP), SI
	MOVQ rows+8(FP), DI
	MOVQ words+16(FP), CX
	MOVQ groups+24(FP), DX
	MOVQ best+32(FP), BX

group:
	VPXORQ Z0, Z0, Z0
	VPXORQ Z1, Z1, Z1
	VPXORQ Z2, Z2, Z2
	VPXORQ Z3, Z3, Z3
	VPXORQ Z4, Z4, Z4
	VPXORQ Z5, Z5, Z5
	VPXORQ Z6, Z6, Z6
	VPXORQ Z7, Z7, Z7
	MOVQ   SI, R8
	MOVQ   CX, R9

word:
	VMOVDQU64    (R8), Z8
	VMOVDQU64    64(R8), Z9
	VPBROADCASTD (DI), Z10
	VPBROADCASTD 4(DI), Z11
	VPBROADCASTD 8(DI), Z12
	VPBROADCASTD 12(DI), Z13
	VPDPBUSD     Z10, Z8, Z0
	VPDPBUSD     Z10, Z9, Z1
	VPDPBUSD     Z11, Z8, Z2
	VPDPBUSD     Z11, Z9, Z3
	VPDPBUSD     Z12, Z8, Z4
	VPDPBUSD     Z12, Z9, Z5
	VPDPBUSD     Z13, Z8, Z6
	VPDPBUSD     Z13, Z9, Z7
	ADDQ         $128, R8
	ADDQ         $16, DI
	DECQ         R9
	JNZ          word
	VPMAXSD      Z1, Z0, Z0
	VPMAXSD      Z3, Z2, Z2
	VPMAXSD      Z5, Z4, Z4
	VPMAXSD      Z7, Z6, Z6
	VPMAXSD      (BX), Z0, Z0
	VPMAXSD      64(BX), Z2, Z2
	VPMAXSD      128(BX), Z4, Z4
	VPMAXSD      192(BX), Z6, Z6
	VMOVDQU64    Z0, (BX)
	VMOVDQU64    Z2, 64(BX)
	VMOVDQU64    Z4, 128(BX)
	VMOVDQU64    Z6, 192(BX)
	ADDQ         $256, BX
	DECQ         DX
	JNZ          group
	VZEROUPPER
	RET

// func bytes4x16(tokens, rows *word, words, groups int, best *[16]int32)
TEXT ·bytes4x16(SB), NOSPLIT, $0-40
	MOVQ tokens+0(FP), SI
	MOVQ rows+8(FP), DI
	MOVQ words+16(FP), CX
	MOVQ groups+24(FP), DX
	MOVQ best+32(FP), BX

group:
	VPXORQ Z0, Z0, Z0
	VPXORQ Z2, Z2, Z2
	VPXORQ Z4, Z4, Z4
	VPXORQ Z6, Z6, Z6
	MOVQ   SI, R8
	MOVQ   CX, R9

word:
	VMOVDQU64     (R8), Z8
	VPDPBUSD.BCST (DI), Z8, Z0
	VPDPBUSD.BCST 4(DI), Z8, Z2
	VPDPBUSD.BCST 8(DI), Z8, Z4
	VPDPBUSD.BCST 12(DI), Z8, Z6
	ADDQ          $64, R8
	ADDQ          $16, DI
	DECQ          R9
	JNZ           word
	VPMAXSD       (BX), Z0, Z0
	VPMAXSD       64(BX), Z2, Z2
	VPMAXSD       128(BX), Z4, Z4
	VPMAXSD       192(BX), Z6, Z6
	VMOVDQU64     Z0, (BX)
	VMOVDQU64     Z2, 64(BX)
	VMOVDQU64     Z4, 128(BX)
	VMOVDQU64     Z6, 192(BX)
	ADDQ          $256, BX
	DECQ          DX
	JNZ           group
	VZEROUPPER
	RET
