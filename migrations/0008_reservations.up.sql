-- Reservations that stand alone are made by callers and end by themselves; the verifier compares all of them, across
-- tenants, with levels and movements.
alter table reservations add column metadata jsonb not null default '{}';
create index reservations_sku on reservations (organization_id, sku, id);
create index reservations_due on reservations (expires_at) where order_id is null and state = 'held';

alter table stock_movements add column reservation_id text collate "C";
create index stock_movements_newest on stock_movements (organization_id, id);

create policy sweep on reservations for select to purser_relay using (true);
grant select on reservations to purser_relay;
create policy sweep on stock_movements for select to purser_relay using (true);
grant select on stock_movements to purser_relay;
