revoke select (position_xid, position_id, system_identifier) on relay_state from purser_app;
drop table ledger_export_chunks, ledger_exports, ledger_verifications, ledger_checkpoints;
