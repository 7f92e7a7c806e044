alter table webhook_endpoints no force row level security;
update webhook_endpoints set max_concurrency = 20 where max_concurrency > 20;
alter table webhook_endpoints force row level security;
alter table webhook_endpoints
  drop constraint webhook_endpoints_max_concurrency_check,
  add constraint webhook_endpoints_max_concurrency_check check (max_concurrency between 1 and 20);
