-- A verification or an export whose job died or was cancelled says so. A failed one may still be done: by a retry of its job.

alter table ledger_verifications
  add column failure jsonb,
  drop constraint ledger_verifications_state_check,
  add constraint ledger_verifications_state_check check (state in ('queued', 'completed', 'failed', 'cancelled')),
  add constraint ledger_verifications_failure check ((state = 'failed') = (failure is not null));

-- What was not written to its end is kept as long as what was.
alter table ledger_exports
  add column failure jsonb,
  drop constraint ledger_exports_state_check,
  drop constraint ledger_exports_check,
  add constraint ledger_exports_state_check check (state in ('queued', 'completed', 'failed', 'cancelled')),
  add constraint ledger_exports_failure check ((state = 'failed') = (failure is not null)),
  add constraint ledger_exports_completion check ((state = 'completed') = (completed_at is not null)),
  add constraint ledger_exports_end check ((state = 'queued') = (expires_at is null));

-- Those from before that no job works on any more.
alter table ledger_verifications no force row level security;
alter table ledger_exports no force row level security;
update ledger_verifications v
set state = 'failed', failure = '{"code": "INTERNAL_ERROR", "message": "its job ended without it"}'
where state = 'queued' and not exists (
  select from pgboss.job j
  where j.name = 'audit.verify' and j.state < 'completed' and j.data #>> '{payload,verificationId}' = v.id
);
update ledger_exports e
set state = 'failed', failure = '{"code": "INTERNAL_ERROR", "message": "its job ended without it"}',
  expires_at = now() + interval '7 days'
where state = 'queued' and not exists (
  select from pgboss.job j
  where j.name = 'audit.export' and j.state < 'completed' and j.data #>> '{payload,exportId}' = e.id
);
alter table ledger_verifications force row level security;
alter table ledger_exports force row level security;
