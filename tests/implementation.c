/* The implementation part of ad.h, in a unit of its own, as a program would have it. */
#define AD_IMPLEMENTATION
#include "ad.h"
