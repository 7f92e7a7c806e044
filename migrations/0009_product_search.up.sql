-- Search by any part of the title. Row-level security keeps LIKE, ILIKE and @> away from an index until the policy has
-- looked at the row, since these operators are not leakproof: the search is a function whose owner sees every product,
-- and which asks for the tenant by itself. That role can do nothing else.
do $$
begin
  if not exists (select from pg_roles where rolname = 'purser_search') then
    create role purser_search nologin;
  end if;
exception
  when duplicate_object or unique_violation then null;
end
$$;
do $$
declare
  privilege text := case when current_setting('server_version_num')::integer < 160000 then 'member' else 'set' end;
begin
  if not pg_has_role(current_user, 'purser_search', privilege) then
    execute format('grant purser_search to %I', current_user);
  end if;
end
$$;

-- Every run of one, two or three characters, hashed together with the tenant: what another tenant sells is never met.
create function product_grams(organization text, words text) returns bigint[]
language sql immutable strict parallel safe
return (
  select array_agg(distinct hashtextextended(substr(lower(words), start, size), hashtextextended(organization, 0)))
  from generate_series(1, length(words)) start, generate_series(1, 3) size
  where start + size - 1 <= length(words)
);
create index products_grams on products using gin (product_grams(organization_id, title));

create policy search on products for select to purser_search using (true);
grant usage, create on schema public to purser_search;
grant select on products to purser_search;

-- The ids of at most `most` products from `beyond` on, newest first or, backward, oldest first. The newest are looked
-- through one by one: that answers what matches often. What matches rarely comes from the indexes.
create function search_products(query text, statuses text[], beyond text, forward boolean, most integer)
returns setof text language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp
as $function$
declare
  tenant constant text := current_setting('app.organization_id');
  pattern constant text := '%' || regexp_replace(query, '([\\%_])', '\\\1', 'g') || '%';
  size constant integer := least(3, length(query));
  grams constant bigint[] := array(
    select hashtextextended(substr(lower(query), start, size), hashtextextended(tenant, 0))
    from generate_series(1, length(query) - size + 1) start
  );
  place constant text := case when beyond is null then '' when forward then 'and id < $3' else 'and id > $3' end;
  direction constant text := case when forward then 'desc' else 'asc' end;
  near text[];
begin
  execute format($text$
    select array(
      select id from (
        select id, sku, title, status from products where organization_id = $1 %s order by id %s limit 1000
      ) newest
      where (title ilike $4 or starts_with(sku, $2)) and ($5 is null or status = any($5))
      order by id %s limit $6)$text$, place, direction, direction)
  into near using tenant, query, beyond, pattern, statuses, most;
  if cardinality(near) >= most then
    return query select unnest(near);
    return;
  end if;
  return query execute format($text$
    with found as materialized (
      select id, status from products
      where product_grams(organization_id, title) @> $7 and organization_id = $1 and title ilike $4 %s
      union
      select id, status from products
      where organization_id = $1 and sku >= $2 and sku < $2 || chr(1114111) and starts_with(sku, $2) %s
    )
    select id from found where $5 is null or status = any($5) order by id %s limit $6$text$, place, place, direction)
  using tenant, query, beyond, pattern, statuses, most, grams;
end
$function$;
revoke execute on function search_products from public;
grant execute on function search_products to purser_app;
alter function search_products owner to purser_search;
revoke create on schema public from purser_search;
