// What of the heap is in use.
#ifndef SIM_HEAP_H
#define SIM_HEAP_H

// Blocks that were taken through alm/alloc.h and not given back. One thread.
long sim_heap_live(void);

#endif
