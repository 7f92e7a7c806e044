drop index stock_movements_newest;
create index stock_movements_newest on stock_movements (organization_id, id);
drop index stock_movements_type;
drop index reservations_state;
drop index products_status;
