import t from 'tap'
import { onlyPath, placeInSwaggerUi } from './swagger-ui.ts'

t.test('the Swagger UI places the untouched example three times (whole document: swagger-ui.soak.ts)', (t) =>
  placeInSwaggerUi(t, onlyPath('/v1/orders')),
)
