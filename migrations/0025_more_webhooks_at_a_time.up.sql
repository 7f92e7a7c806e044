-- Whoever takes hundreds of events per second may be sent more than twenty at a time.

alter table webhook_endpoints
  drop constraint webhook_endpoints_max_concurrency_check,
  add constraint webhook_endpoints_max_concurrency_check check (max_concurrency between 1 and 100);
