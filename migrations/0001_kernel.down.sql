drop table idempotency_keys;
drop table ledger;
revoke usage on schema public from purser_app, purser_relay;
-- The roles stay: they belong to the cluster and may serve another database of it.
