#pragma once
/// The inbox's columns.

#define QUARRY_WEBHOOK_COLUMNS                                                                                  \
  "id, provider, event_name, object_type, object_id, subscription_id, provider_updated_at, test_mode, status, " \
  "attempts, error_message, received_at, processed_at"
