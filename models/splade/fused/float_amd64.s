//go:build goexperiment.simd

#include "textflag.h"

// The loop over dimensions in float32. simd/archsimd has every instruction of it, but Go's compiler
// broadcasts by way of a register and keeps fewer sums than there are registers for.

// RAISE raises the best of 32 rows, Z16 and Z17, to one token's sums where these are greater or NaN, unless the best is
// NaN already; notes the token, Z20, in Z18 and Z19; and goes on to the next token. Predicates: 7 is "neither is NaN",
// 0x16 is "not less or equal".
#define RAISE(low, high) \
	VCMPPS    $7, Z16, Z16, K1       \
	VCMPPS    $7, Z17, Z17, K2       \
	VCMPPS    $0x16, Z16, low, K1, K1  \
	VCMPPS    $0x16, Z17, high, K2, K2 \
	VMOVAPS   low, K1, Z16           \
	VMOVAPS   high, K2, Z17          \
	VMOVDQA32 Z20, K1, Z18           \
	VMOVDQA32 Z20, K2, Z19           \
	VPADDD    Z21, Z20, Z20

// func raise32x8(rows, tokens *float32, dim, first int, best *[wideRows]float32, at *[wideRows]int32)
TEXT ·raise32x8(SB), NOSPLIT, $0-48
	MOVQ   rows+0(FP), SI
	MOVQ   tokens+8(FP), DX
	MOVQ   dim+16(FP), CX
	MOVQ   first+24(FP), AX
	MOVQ   best+32(FP), BX
	MOVQ   at+40(FP), DI
	VPXORQ Z0, Z0, Z0
	VPXORQ Z1, Z1, Z1
	VPXORQ Z2, Z2, Z2
	VPXORQ Z3, Z3, Z3
	VPXORQ Z4, Z4, Z4
	VPXORQ Z5, Z5, Z5
	VPXORQ Z6, Z6, Z6
	VPXORQ Z7, Z7, Z7
	VPXORQ Z8, Z8, Z8
	VPXORQ Z9, Z9, Z9
	VPXORQ Z10, Z10, Z10
	VPXORQ Z11, Z11, Z11
	VPXORQ Z12, Z12, Z12
	VPXORQ Z13, Z13, Z13
	VPXORQ Z14, Z14, Z14
	VPXORQ Z15, Z15, Z15

dimension:
	VMOVUPS      (SI), Z16
	VMOVUPS      64(SI), Z17
	VBROADCASTSS (DX), Z18
	VBROADCASTSS 4(DX), Z19
	VBROADCASTSS 8(DX), Z20
	VBROADCASTSS 12(DX), Z21
	VBROADCASTSS 16(DX), Z22
	VBROADCASTSS 20(DX), Z23
	VBROADCASTSS 24(DX), Z24
	VBROADCASTSS 28(DX), Z25
	VFMADD231PS  Z18, Z16, Z0
	VFMADD231PS  Z18, Z17, Z1
	VFMADD231PS  Z19, Z16, Z2
	VFMADD231PS  Z19, Z17, Z3
	VFMADD231PS  Z20, Z16, Z4
	VFMADD231PS  Z20, Z17, Z5
	VFMADD231PS  Z21, Z16, Z6
	VFMADD231PS  Z21, Z17, Z7
	VFMADD231PS  Z22, Z16, Z8
	VFMADD231PS  Z22, Z17, Z9
	VFMADD231PS  Z23, Z16, Z10
	VFMADD231PS  Z23, Z17, Z11
	VFMADD231PS  Z24, Z16, Z12
	VFMADD231PS  Z24, Z17, Z13
	VFMADD231PS  Z25, Z16, Z14
	VFMADD231PS  Z25, Z17, Z15
	ADDQ         $128, SI
	ADDQ         $32, DX
	DECQ         CX
	JNZ          dimension

	VMOVUPS      (BX), Z16
	VMOVUPS      64(BX), Z17
	VMOVDQU32    (DI), Z18
	VMOVDQU32    64(DI), Z19
	VPBROADCASTD AX, Z20
	MOVL         $1, AX
	VPBROADCASTD AX, Z21
	RAISE(Z0, Z1)
	RAISE(Z2, Z3)
	RAISE(Z4, Z5)
	RAISE(Z6, Z7)
	RAISE(Z8, Z9)
	RAISE(Z10, Z11)
	RAISE(Z12, Z13)
	RAISE(Z14, Z15)
	VMOVUPS      Z16, (BX)
	VMOVUPS      Z17, 64(BX)
	VMOVDQU32    Z18, (DI)
	VMOVDQU32    Z19, 64(DI)
	VZEROUPPER
	RET
