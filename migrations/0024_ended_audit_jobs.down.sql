alter table ledger_exports no force row level security;
alter table ledger_verifications no force row level security;
update ledger_exports set state = 'queued', failure = null, expires_at = null where state in ('failed', 'cancelled');
update ledger_verifications set state = 'queued', failure = null where state in ('failed', 'cancelled');
alter table ledger_verifications force row level security;
alter table ledger_exports force row level security;

alter table ledger_exports
  drop constraint ledger_exports_end,
  drop constraint ledger_exports_completion,
  drop constraint ledger_exports_failure,
  drop constraint ledger_exports_state_check,
  add constraint ledger_exports_state_check check (state in ('queued', 'completed')),
  add constraint ledger_exports_check check ((state = 'completed') = (completed_at is not null and expires_at is not null)),
  drop column failure;
alter table ledger_verifications
  drop constraint ledger_verifications_failure,
  drop constraint ledger_verifications_state_check,
  add constraint ledger_verifications_state_check check (state in ('queued', 'completed')),
  drop column failure;
