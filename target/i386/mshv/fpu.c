/*
 * x87, MMX and SSE state for the instruction emulator, as FXSAVE64 has it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "emulate.h"

/* Offsets in the image */
enum {
    FCW = 0, FSW = 2, FTW = 4, FOP = 6, FIP = 8, FDP = 16, MXCSR = 24,
    MXCSR_MASK = 28, ST = 32, XMM = 160,
};

#define FSW_TOP_SHIFT   11
#define FSW_TOP         (7u << FSW_TOP_SHIFT)

void mshv_fpu_to_image(const CPUX86State *env, uint8_t *image)
{
    bool misaligned = env->features[FEAT_8000_0001_ECX] &
                      CPUID_EXT3_MISALIGNSSE;
    unsigned i;

    memset(image, 0, INSN_FX_SIZE);
    stw_le_p(image + FCW, env->fpuc);
    stw_le_p(image + FSW, (env->fpus & ~FSW_TOP) |
                          (env->fpstt & 7) << FSW_TOP_SHIFT);
    stw_le_p(image + FOP, env->fpop);
    stq_le_p(image + FIP, env->fpip);
    stq_le_p(image + FDP, env->fpdp);
    stl_le_p(image + MXCSR, env->mxcsr);
    stl_le_p(image + MXCSR_MASK, misaligned ? 0x2ffff : 0xffff);
    for (i = 0; i < 8; i++) {
        image[FTW] |= !env->fptags[i] << i;
        memcpy(image + ST + 16 * i, &env->fpregs[i], 10);
    }
    for (i = 0; i < 16; i++) {
        memcpy(image + XMM + 16 * i, &env->xmm_regs[i], 16);
    }
}

void mshv_fpu_from_image(CPUX86State *env, const uint8_t *image)
{
    uint16_t fsw = lduw_le_p(image + FSW);
    unsigned i;

    env->fpuc = lduw_le_p(image + FCW);
    env->fpus = fsw & ~FSW_TOP;
    env->fpstt = (fsw & FSW_TOP) >> FSW_TOP_SHIFT;
    env->fpop = lduw_le_p(image + FOP);
    env->fpip = ldq_le_p(image + FIP);
    env->fpdp = ldq_le_p(image + FDP);
    env->mxcsr = ldl_le_p(image + MXCSR);
    for (i = 0; i < 8; i++) {
        env->fptags[i] = !(image[FTW] >> i & 1);
        memcpy(&env->fpregs[i], image + ST + 16 * i, 10);
    }
    for (i = 0; i < 16; i++) {
        memcpy(&env->xmm_regs[i], image + XMM + 16 * i, 16);
    }
}
