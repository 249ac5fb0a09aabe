// A PJRT plugin that computes nothing. It makes a client with one device, writes every
// program that it is to compile to the file in STUB_PROGRAM, and refuses it. With a
// message in STUB_CREATE or STUB_COMPILE it fails there with that message; with
// STUB_EMPTY it offers no interface at all.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pjrt_c_api.h"

struct PJRT_Error {
  char* message;
};
struct PJRT_Client {
  int unused;
};
struct PJRT_Device {
  int unused;
};
struct PJRT_DeviceDescription {
  int unused;
};

static PJRT_Client the_client;
static PJRT_Device the_device;
static PJRT_Device* devices[1] = {&the_device};
static PJRT_DeviceDescription the_description;

static PJRT_Error* fail(const char* message) {
  PJRT_Error* e = malloc(sizeof *e);
  e->message = strdup(message);
  return e;
}
static void error_destroy(PJRT_Error_Destroy_Args* a) {
  free(a->error->message);
  free(a->error);
}
static void error_message(PJRT_Error_Message_Args* a) {
  a->message = a->error->message;
  a->message_size = strlen(a->error->message);
}
static PJRT_Error* error_code(PJRT_Error_GetCode_Args* a) {
  a->code = PJRT_Error_Code_INTERNAL;
  return NULL;
}
static PJRT_Error* initialize(PJRT_Plugin_Initialize_Args* a) { return NULL; }
static PJRT_Error* attributes(PJRT_Plugin_Attributes_Args* a) {
  a->attributes = NULL;
  a->num_attributes = 0;
  return NULL;
}
static PJRT_Error* create(PJRT_Client_Create_Args* a) {
  const char* fault = getenv("STUB_CREATE");
  if (fault && *fault) return fail(fault);
  a->client = &the_client;
  return NULL;
}
static PJRT_Error* destroy(PJRT_Client_Destroy_Args* a) { return NULL; }
static PJRT_Error* platform(PJRT_Client_PlatformName_Args* a) {
  a->platform_name = "stub";
  a->platform_name_size = 4;
  return NULL;
}
static PJRT_Error* version(PJRT_Client_PlatformVersion_Args* a) {
  a->platform_version = "0";
  a->platform_version_size = 1;
  return NULL;
}
static PJRT_Error* process(PJRT_Client_ProcessIndex_Args* a) {
  a->process_index = 0;
  return NULL;
}
static PJRT_Error* all_devices(PJRT_Client_Devices_Args* a) {
  a->devices = devices;
  a->num_devices = 1;
  return NULL;
}
static PJRT_Error* own_devices(PJRT_Client_AddressableDevices_Args* a) {
  a->addressable_devices = devices;
  a->num_addressable_devices = 1;
  return NULL;
}
static PJRT_Error* addressable(PJRT_Device_IsAddressable_Args* a) {
  a->is_addressable = 1;
  return NULL;
}
static PJRT_Error* hardware(PJRT_Device_LocalHardwareId_Args* a) {
  a->local_hardware_id = 0;
  return NULL;
}
static PJRT_Error* description(PJRT_Device_GetDescription_Args* a) {
  a->device_description = &the_description;
  return NULL;
}
static PJRT_Error* description_text(PJRT_DeviceDescription_DebugString_Args* a) {
  a->debug_string = "stub:0";
  a->debug_string_size = 6;
  return NULL;
}
static PJRT_Error* description_process(PJRT_DeviceDescription_ProcessIndex_Args* a) {
  a->process_index = 0;
  return NULL;
}
static PJRT_Error* compile(PJRT_Client_Compile_Args* a) {
  const char* path = getenv("STUB_PROGRAM");
  const char* fault = getenv("STUB_COMPILE");
  if (path && *path) {
    FILE* f = fopen(path, "w");
    if (!f) return fail("stub: cannot write the program");
    fwrite(a->program->code, 1, a->program->code_size, f);
    fclose(f);
  }
  return fail(fault && *fault ? fault : "stub: nothing is compiled here");
}

static PJRT_Api api;

const PJRT_Api* GetPjrtApi(void) {
  const char* empty = getenv("STUB_EMPTY");
  if (empty && *empty) return NULL;
  memset(&api, 0, sizeof api);
  api.struct_size = PJRT_Api_STRUCT_SIZE;
  api.pjrt_api_version.struct_size = PJRT_Api_Version_STRUCT_SIZE;
  api.pjrt_api_version.major_version = PJRT_API_MAJOR;
  api.pjrt_api_version.minor_version = PJRT_API_MINOR;
  api.PJRT_Error_Destroy = error_destroy;
  api.PJRT_Error_Message = error_message;
  api.PJRT_Error_GetCode = error_code;
  api.PJRT_Plugin_Initialize = initialize;
  api.PJRT_Plugin_Attributes = attributes;
  api.PJRT_Client_Create = create;
  api.PJRT_Client_Destroy = destroy;
  api.PJRT_Client_PlatformName = platform;
  api.PJRT_Client_PlatformVersion = version;
  api.PJRT_Client_ProcessIndex = process;
  api.PJRT_Client_Devices = all_devices;
  api.PJRT_Client_AddressableDevices = own_devices;
  api.PJRT_Device_IsAddressable = addressable;
  api.PJRT_Device_LocalHardwareId = hardware;
  api.PJRT_Device_GetDescription = description;
  api.PJRT_DeviceDescription_DebugString = description_text;
  api.PJRT_DeviceDescription_ProcessIndex = description_process;
  api.PJRT_Client_Compile = compile;
  return &api;
}
