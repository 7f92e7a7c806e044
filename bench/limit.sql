-- The limit: one order as one function call, writing the rows that one order over HTTP writes. Written as fast as we
-- know how: no row-level security, no look-up of tenant, key or idempotency, prices and titles from one small table,
-- one random value for all ids. bench/limit.ts fills in :'names' from an order of the API and compares the rows.
create schema bench;

-- What an order can name: tracked products with a price, numbered in the order of SKUs.
create table bench.skus (
  n integer primary key,
  sku text collate "C" not null,
  price bigint not null,
  title text not null,
  sku_json text not null,
  title_json text not null
);
insert into bench.skus
select row_number() over (order by sku) - 1, sku, (prices ->> 'GBP')::bigint, title, to_json(sku), to_json(title)
from products
where stock_policy = 'deny' and status = 'active' and (prices ->> 'GBP')::bigint > 0;
analyze bench.skus;

-- first < second < third, so the stock rows are locked in the order of SKUs. `shift` places the order in the past.
create function bench.place_order(first integer, second integer, third integer, shift interval default interval '0')
returns text language plpgsql as $function$
declare
  organization constant text := :'organization';
  location constant text := :'location';
  moment constant timestamptz(3) := date_trunc('milliseconds', clock_timestamp() + shift);
  moment_text constant text := to_char(moment at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');
  stem constant text := left(replace(uuidv7(shift)::text, '-', ''), 24);
  random_id constant uuid := gen_random_uuid();
  random_hex constant text := replace(random_id::text, '-', '');
  order_id constant text := 'ord_' || stem || '00';
  request constant text := 'req_' || stem || '00';
  line_a constant text := 'lin_' || left(stem, 12) || left(random_hex, 14);
  line_b constant text := 'lin_' || left(stem, 12) || substr(random_hex, 10, 14);
  line_c constant text := 'lin_' || left(stem, 12) || right(random_hex, 14);
  trace constant text := '00-' || random_hex || '-' || left(random_hex, 16) || '-01';
  number constant text := to_char(moment at time zone 'UTC', 'YYYYMMDD-')
    || upper(translate(encode(substr(uuid_send(random_id), 11, 6), 'base64'), '+/', '89'));
  fingerprint constant text := rtrim(translate(encode(sha256(uuid_send(random_id)), 'base64'), '+/', '-_'), '=');
  a bench.skus;
  b bench.skus;
  c bench.skus;
  level_a record;
  level_b record;
  level_c record;
  total bigint;
  filling text[];
begin
  select * into strict a from bench.skus where n = first;
  select * into strict b from bench.skus where n = second;
  select * into strict c from bench.skus where n = third;
  total := a.price + 2 * b.price + 3 * c.price;

  update stock_levels s set reserved = s.reserved + 1
  where organization_id = organization and sku = a.sku and location_id = location
    and s.on_hand - s.reserved - s.safety_stock >= 1
  returning s.on_hand, s.reserved into strict level_a;
  update stock_levels s set reserved = s.reserved + 2
  where organization_id = organization and sku = b.sku and location_id = location
    and s.on_hand - s.reserved - s.safety_stock >= 2
  returning s.on_hand, s.reserved into strict level_b;
  update stock_levels s set reserved = s.reserved + 3
  where organization_id = organization and sku = c.sku and location_id = location
    and s.on_hand - s.reserved - s.safety_stock >= 3
  returning s.on_hand, s.reserved into strict level_c;

  insert into orders (organization_id, id, number, status, location_id, payment_terms, currency, items_amount,
    discount_amount, shipping_amount, tax_amount, total_amount, metadata, placed_at, confirmed_at, version, created_at,
    updated_at)
  values (organization, order_id, number, 'confirmed', location, 'onAccount', 'GBP', total, 0, 0, 0, total, '{}',
    moment, moment, 2, moment, moment);

  insert into order_lines (organization_id, order_id, position, id, sku, title, tracked, quantity, quantity_cancelled,
    quantity_fulfilled, unit_price_amount, discount_amount, tax_amount, total_amount, metadata)
  values
    (organization, order_id, 0, line_a, a.sku, a.title, true, 1, 0, 0, a.price, 0, 0, a.price, '{}'),
    (organization, order_id, 1, line_b, b.sku, b.title, true, 2, 0, 0, b.price, 0, 0, 2 * b.price, '{}'),
    (organization, order_id, 2, line_c, c.sku, c.title, true, 3, 0, 0, c.price, 0, 0, 3 * c.price, '{}');

  insert into reservations (organization_id, id, order_id, sku, location_id, quantity, state, version, created_at,
    updated_at)
  values
    (organization, 'rsv_' || stem || '00', order_id, a.sku, location, 1, 'firm', 1, moment, moment),
    (organization, 'rsv_' || stem || '01', order_id, b.sku, location, 2, 'firm', 1, moment, moment),
    (organization, 'rsv_' || stem || '02', order_id, c.sku, location, 3, 'firm', 1, moment, moment);

  insert into stock_movements (organization_id, sku, location_id, id, type, on_hand_change, reserved_change, on_hand,
    reserved, order_id, actor, request_id, occurred_at)
  values
    (organization, a.sku, location, 'mov_' || stem || '00', 'reserve', 0, 1, level_a.on_hand, level_a.reserved,
      order_id, :'movement_actor', request, moment),
    (organization, b.sku, location, 'mov_' || stem || '01', 'reserve', 0, 2, level_b.on_hand, level_b.reserved,
      order_id, :'movement_actor', request, moment),
    (organization, c.sku, location, 'mov_' || stem || '02', 'reserve', 0, 3, level_c.on_hand, level_c.reserved,
      order_id, :'movement_actor', request, moment);

  filling := array[order_id, number, moment_text, total::text,
    line_a, a.sku_json, a.title_json, a.price::text,
    line_b, b.sku_json, b.title_json, b.price::text, (2 * b.price)::text,
    line_c, c.sku_json, c.title_json, c.price::text, (3 * c.price)::text];

  insert into ledger (organization_id, id, type, occurred_at, actor, request_id, traceparent, resource_type,
    resource_id, resource_version, changed, data)
  values
    (organization, 'evt_' || stem || '00', 'order.placed', moment, :'ledger_actor', request, trace, 'order', order_id,
      1, '{}', format(:'placed', variadic filling)::jsonb),
    (organization, 'evt_' || stem || '01', 'order.confirmed', moment, :'ledger_actor', request, trace, 'order',
      order_id, 2, '{status,confirmedAt}', format(:'confirmed', variadic filling)::jsonb);

  insert into idempotency_keys (organization_id, principal_id, key, fingerprint, status, etag, location, data,
    created_at)
  values (organization, :'principal', random_id::text, fingerprint, 201, '"2.' || left(random_hex, 6) || '"',
    '/v1/orders/' || order_id, format(:'answer', variadic filling), moment);
  return order_id;
end
$function$;
