-- What lists are filtered by. Neither index has to follow an order on account: what placing it writes is left out.
create index products_status on products (organization_id, status, id);
create index reservations_state on reservations (organization_id, state, id) where state <> 'firm';
create index stock_movements_type on stock_movements (organization_id, type, occurred_at, id) where type <> 'reserve';

-- Movements are listed by their time, so that a list from one time to another ends there.
drop index stock_movements_newest;
create index stock_movements_newest on stock_movements (organization_id, occurred_at, id);
