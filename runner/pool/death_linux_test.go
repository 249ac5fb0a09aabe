package pool_test

const hasParentDeathSignal = true
