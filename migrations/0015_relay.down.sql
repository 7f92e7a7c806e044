drop table relay_state;
drop table event_heads;
drop table events;

create schema partitioned;
alter table ledger set schema partitioned;
do $$
declare
  partition regclass;
begin
  for partition in select inhrelid from pg_inherits where inhparent = 'partitioned.ledger'::regclass loop
    execute format('alter table %s set schema partitioned', partition);
  end loop;
end
$$;
alter table partitioned.ledger no force row level security;

create table ledger (
  organization_id text collate "C" not null default current_setting('app.organization_id'),
  id text collate "C" not null,
  xid xid8 not null default pg_current_xact_id(),
  type text not null,
  schema_version integer not null default 1,
  occurred_at timestamptz(3) not null,
  actor jsonb not null,
  request_id text not null,
  traceparent text,
  resource_type text not null,
  resource_id text collate "C" not null,
  resource_version integer not null,
  changed text[] not null,
  data jsonb not null,
  personal jsonb,
  personal_salt bytea,
  primary key (organization_id, id),
  constraint ledger_personal_salted check ((personal is null) = (personal_salt is null))
);
insert into ledger select * from partitioned.ledger;
drop table partitioned.ledger;
drop schema partitioned;

create index ledger_resource on ledger (organization_id, resource_id, resource_version);
create index ledger_position on ledger (xid, id);
alter table ledger enable row level security;
alter table ledger force row level security;
create policy tenant on ledger to purser_app
  using (organization_id = current_setting('app.organization_id', true))
  with check (organization_id = current_setting('app.organization_id', true));
create policy relay on ledger for select to purser_relay using (true);
grant select, insert on ledger to purser_app;
grant select on ledger to purser_relay;

drop function hold_ledger_writers();
drop function drop_time_partitions(text, timestamptz);
drop function ensure_time_partitions(text, text, integer);
drop function refuse_unpartitioned(text);
drop function create_time_partition(text, text, timestamptz);
drop function id_time(text);
drop function time_id(text, timestamptz);
