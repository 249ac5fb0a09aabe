// A PJRT plugin that computes with another one, whose path is in FAULT_PLUGIN, and fails
// where it is told to: as a GPU does whose memory is full or that is lost in the middle of
// a run. It hands out a copy of the other's table with some functions replaced.
//
//   FAULT_CALL     the function that fails: compile, upload, execute or download
//   FAULT_FROM     its first call that fails, counted from 1 since the client was made
//                  and since either of the two changed
//   FAULT_MESSAGE  the error's message, FAULT_CODE its number (13, INTERNAL, by default)
//   FAULT_LATE     where set, that call itself succeeds and the event of its end fails,
//                  as with work that a device does later
//   FAULT_LOST     where set, the device is lost with that call: all further ones fail
//   FAULT_DIES     where set, the process ends with that call, as XLA's own checks end it
//   FAULT_ROOM     rows that a table of int32, such as texts of token ids, may have as an
//                  input of a program; one with more fails as where memory is full
//
// Once the device is lost, freeing what lies on it fails too, and freeing the client ends
// the process, as XLA's own destructors may: they take an error there for a bug.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pjrt_c_api.h"

enum call { COMPILE, UPLOAD, EXECUTE, DOWNLOAD, CALLS };
static const char* const names[CALLS] = {"compile", "upload", "execute", "download"};

// An error of this plugin. The other plugin's errors are told from it by the list of those alive.
struct fault {
  struct fault* next;
  char* message;
  PJRT_Error_Code code;
};

static const PJRT_Api* real;
static PJRT_Api* table;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; // guards all that follows
static struct fault* alive;
static char counted[64]; // the two settings for which calls are counted
static long count;
static int lost;
static PJRT_Event* late_event;
static PJRT_Error* late_error;

static const char* setting(const char* name, const char* otherwise) {
  const char* value = getenv(name);
  return value && *value ? value : otherwise;
}

static PJRT_Error* fail(const char* message, int code) {
  struct fault* f = malloc(sizeof *f);
  f->message = strdup(message);
  f->code = code;
  f->next = alive;
  alive = f;
  return (PJRT_Error*)f;
}
static PJRT_Error* fail_as_told(void) {
  return fail(setting("FAULT_MESSAGE", "CUDA_ERROR_ILLEGAL_ADDRESS: an illegal memory access was encountered"), atoi(setting("FAULT_CODE", "13")));
}
static struct fault** find(const PJRT_Error* e) {
  struct fault** at = &alive;
  while (*at && (const PJRT_Error*)*at != e) at = &(*at)->next;
  return at;
}

// due counts a call and returns the error that it is to end with, NULL for none. Where late,
// that error belongs to the event of the call.
static PJRT_Error* due(enum call c, int* late) {
  PJRT_Error* e = NULL;
  const char *which = setting("FAULT_CALL", ""), *from = setting("FAULT_FROM", "1");
  char now[sizeof counted];
  *late = 0;
  snprintf(now, sizeof now, "%s %s", which, from);
  pthread_mutex_lock(&mutex);
  if (strcmp(now, counted)) {
    count = 0;
    strcpy(counted, now);
  }
  if (lost) {
    e = fail_as_told();
  } else if (!strcmp(which, names[c]) && ++count >= atol(from)) {
    e = fail_as_told();
    if (*setting("FAULT_DIES", "")) {
      fprintf(stderr, "F0000 00:00:00.000000 0 fault.cc:1] Check failed: %s\n", ((struct fault*)e)->message);
      abort();
    }
    lost = *setting("FAULT_LOST", "") != 0;
    *late = *setting("FAULT_LATE", "") != 0;
  }
  pthread_mutex_unlock(&mutex);
  return e;
}
static void keep(PJRT_Event* event, PJRT_Error* e) {
  pthread_mutex_lock(&mutex);
  late_event = event;
  late_error = e;
  pthread_mutex_unlock(&mutex);
}

static void error_destroy(PJRT_Error_Destroy_Args* a) {
  pthread_mutex_lock(&mutex);
  struct fault** at = find(a->error);
  struct fault* f = *at;
  if (f) *at = f->next;
  pthread_mutex_unlock(&mutex);
  if (!f) {
    real->PJRT_Error_Destroy(a);
    return;
  }
  free(f->message);
  free(f);
}
static void error_message(PJRT_Error_Message_Args* a) {
  pthread_mutex_lock(&mutex);
  struct fault* f = *find(a->error);
  pthread_mutex_unlock(&mutex);
  if (!f) {
    real->PJRT_Error_Message(a);
    return;
  }
  a->message = f->message;
  a->message_size = strlen(f->message);
}
static PJRT_Error* error_code(PJRT_Error_GetCode_Args* a) {
  pthread_mutex_lock(&mutex);
  struct fault* f = *find(a->error);
  pthread_mutex_unlock(&mutex);
  if (!f) return real->PJRT_Error_GetCode(a);
  a->code = f->code;
  return NULL;
}

static PJRT_Error* create(PJRT_Client_Create_Args* a) {
  pthread_mutex_lock(&mutex);
  count = 0;
  lost = 0;
  pthread_mutex_unlock(&mutex);
  return real->PJRT_Client_Create(a);
}
static PJRT_Error* destroy(PJRT_Client_Destroy_Args* a) {
  if (lost) {
    fprintf(stderr, "fault plugin: the client of a lost device was freed\n");
    abort();
  }
  return real->PJRT_Client_Destroy(a);
}
static PJRT_Error* freed(PJRT_Error* e) {
  if (e) return e;
  pthread_mutex_lock(&mutex);
  if (lost) e = fail_as_told();
  pthread_mutex_unlock(&mutex);
  return e;
}
static PJRT_Error* buffer_destroy(PJRT_Buffer_Destroy_Args* a) { return freed(real->PJRT_Buffer_Destroy(a)); }
static PJRT_Error* program_destroy(PJRT_LoadedExecutable_Destroy_Args* a) { return freed(real->PJRT_LoadedExecutable_Destroy(a)); }

static PJRT_Error* compile(PJRT_Client_Compile_Args* a) {
  int late;
  PJRT_Error* e = due(COMPILE, &late);
  return e ? e : real->PJRT_Client_Compile(a);
}
static PJRT_Error* upload(PJRT_Client_BufferFromHostBuffer_Args* a) {
  int late;
  PJRT_Error* e = due(UPLOAD, &late);
  if (e && !late) return e;
  PJRT_Error* own = real->PJRT_Client_BufferFromHostBuffer(a);
  if (e) keep(a->done_with_host_buffer, e);
  return own;
}
static PJRT_Error* download(PJRT_Buffer_ToHostBuffer_Args* a) {
  if (!a->dst) return real->PJRT_Buffer_ToHostBuffer(a); // asks for a size
  int late;
  PJRT_Error* e = due(DOWNLOAD, &late);
  if (e && !late) return e;
  PJRT_Error* own = real->PJRT_Buffer_ToHostBuffer(a);
  if (e) keep(a->event, e);
  return own;
}

// largest is the number of rows of the largest table of int32 among the inputs.
static long largest(const PJRT_LoadedExecutable_Execute_Args* a) {
  long most = 0;
  for (size_t i = 0; i < a->num_args; i++) {
    PJRT_Buffer* b = a->argument_lists[0][i];
    PJRT_Buffer_ElementType_Args type = {.struct_size = PJRT_Buffer_ElementType_Args_STRUCT_SIZE, .buffer = b};
    PJRT_Buffer_Dimensions_Args dims = {.struct_size = PJRT_Buffer_Dimensions_Args_STRUCT_SIZE, .buffer = b};
    if (real->PJRT_Buffer_ElementType(&type) || real->PJRT_Buffer_Dimensions(&dims)) abort();
    if (type.type == PJRT_Buffer_Type_S32 && dims.num_dims == 2 && dims.dims[0] > most) most = dims.dims[0];
  }
  return most;
}
static PJRT_Error* execute(PJRT_LoadedExecutable_Execute_Args* a) {
  int late;
  PJRT_Error* e = due(EXECUTE, &late);
  if (e && !late) return e;
  long room = atol(setting("FAULT_ROOM", "0"));
  if (!e && room > 0 && largest(a) > room) {
    pthread_mutex_lock(&mutex);
    e = fail("Out of memory while trying to allocate 17179869184 bytes.", PJRT_Error_Code_RESOURCE_EXHAUSTED);
    pthread_mutex_unlock(&mutex);
    return e;
  }
  PJRT_Error* own = real->PJRT_LoadedExecutable_Execute(a);
  if (e) keep(a->device_complete_events[0], e);
  return own;
}
static PJRT_Error* await(PJRT_Event_Await_Args* a) {
  PJRT_Error* own = real->PJRT_Event_Await(a);
  pthread_mutex_lock(&mutex);
  if (!own && a->event == late_event) {
    own = late_error;
    late_event = NULL;
    late_error = NULL;
  }
  pthread_mutex_unlock(&mutex);
  return own;
}

const PJRT_Api* GetPjrtApi(void) {
  const char* path = setting("FAULT_PLUGIN", "");
  void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  const PJRT_Api* (*get)(void) = library ? (const PJRT_Api* (*)(void))dlsym(library, "GetPjrtApi") : NULL;
  if (!get || !(real = get())) {
    fprintf(stderr, "fault plugin: cannot load \"%s\": %s\n", path, library ? "it has no GetPjrtApi" : dlerror());
    return NULL;
  }
  if (!table) table = malloc(real->struct_size); // it may be of a later version, and longer
  memcpy(table, real, real->struct_size);
  table->PJRT_Error_Destroy = error_destroy;
  table->PJRT_Error_Message = error_message;
  table->PJRT_Error_GetCode = error_code;
  table->PJRT_Event_Await = await;
  table->PJRT_Client_Create = create;
  table->PJRT_Client_Destroy = destroy;
  table->PJRT_Client_Compile = compile;
  table->PJRT_Client_BufferFromHostBuffer = upload;
  table->PJRT_LoadedExecutable_Execute = execute;
  table->PJRT_LoadedExecutable_Destroy = program_destroy;
  table->PJRT_Buffer_ToHostBuffer = download;
  table->PJRT_Buffer_Destroy = buffer_destroy;
  return table;
}
